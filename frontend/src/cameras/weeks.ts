// How well it works at a camera: what came of its visits week by week, as numbers alone, and what would help most.

import { LitElement, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { type Hass, define } from "../ha";
import { icon, mdiStarOutline } from "../icons";
import { shared } from "../styles";
import { type Key, duration, keyed, later, plainDay, text } from "../text";
import type { Words } from "../words";
import type { Advice, Week } from "./model";

/** How many weeks are shown at first. */
const FEW = 3;

export class CameraWeeks extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) words!: Words;
  @property({ attribute: false }) weeks: Week[] = [];
  @property({ attribute: false }) advice: Advice | null = null;
  @property({ attribute: false }) faceWidth: number | null = null;
  @state() private all = false;

  protected override render(): unknown {
    const { hass, weeks } = this;
    if (!hass) return nothing;
    const most = Math.max(...weeks.map((each) => each.visits), 1);
    return html`<section aria-labelledby="heading">
      <h3 id="heading">${text(hass, "cameras.weeks")}</h3>
      ${weeks.length
        ? html`<p class="second">${text(hass, "cameras.weeks_help")}</p>
            ${this.help()}
            <ol>${weeks.slice(0, this.all ? weeks.length : FEW).map((each) => this.week(each, most))}</ol>
            ${weeks.length > FEW && !this.all
              ? html`<button class="link" @click=${() => (this.all = true)}>${text(hass, "cameras.weeks_more")}</button>`
              : nothing}`
        : html`<p class="second">${text(hass, "cameras.weeks_none")}</p>`}
    </section>`;
  }

  private help(): unknown {
    const { hass, advice } = this;
    if (!advice) return nothing;
    const usable = text(hass, "cameras.usable_of", { usable: this.number(advice.usable), count: this.number(advice.visits) });
    return html`<p class="help">
      ${icon(mdiStarOutline)}
      <span>${advice.usable < advice.visits ? `${usable} ` : nothing}${this.advised(advice)}</span>
    </p>`;
  }

  /** Say what would help most; how faces look here is said in the words of the dialogs. */
  private advised({ key, count }: Advice): string {
    const { hass, faceWidth } = this;
    const own = keyed("cameras", `help_${key === "no_usable_face" ? "poor_face" : key}`);
    if (own) return text(hass, own, { count: this.number(count) });
    if (key === "too_small" && faceWidth === null) return text(hass, "cameras.help_poor_face", { count: this.number(count) });
    return this.words.say("fitness_advice", key, { width: String(faceWidth) });
  }

  private week(week: Week, most: number): unknown {
    const { hass } = this;
    const unclear = Object.values(week.unclear).reduce((sum, each) => sum + each, 0);
    const parts: [string, number][] = [
      ["named", week.named],
      ["strangers", week.strangers],
      ["unclear", unclear],
    ];
    const answers: [string, number][] = [
      ["confirmed", week.confirmed],
      ["corrected", week.corrected],
      ["missed", week.missed],
    ];
    const said = ([name, count]: [string, number]): unknown =>
      html`<li class=${name}>${text(hass, `cameras.week_${name}` as Key)}: ${this.number(count)}</li>`;
    return html`<li class="week">
      <h4>${this.name(week)}</h4>
      <span class="second"
        >${week.visits === 1 ? text(hass, "list.count_one") : text(hass, "list.count_many", { count: this.number(week.visits) })}</span
      >
      <div class="bar" aria-hidden="true">
        ${parts.map(([name, count]) =>
          count ? html`<span class=${name} style="width: ${(100 * count) / most}%"></span>` : nothing,
        )}
      </div>
      <ul>
        ${parts.map(said)} ${answers.filter(([, count]) => count).map(said)}
        ${week.took_ms === null ? nothing : html`<li>${text(hass, "cameras.week_took", { time: duration(hass, week.took_ms) })}</li>`}
      </ul>
      ${unclear
        ? html`<ul class="second why">
            ${Object.entries(week.unclear)
              .sort(([, one], [, other]) => other - one)
              .map(([reason, count]) => html`<li>${this.why(reason)}: ${this.number(count)}</li>`)}
          </ul>`
        : nothing}
    </li>`;
  }

  private why(reason: string): string {
    return text(this.hass, keyed("visit", `why_${reason}`) ?? "visit.unclear");
  }

  private name(week: Week): string {
    const { hass } = this;
    // Weeks begin on Monday at midnight, UTC.
    const now = Date.now();
    if (Date.parse(week.begins) <= now && now < Date.parse(later(week.begins, 7))) return text(hass, "cameras.week_this");
    return text(hass, "cameras.week_of", { day: plainDay(hass, week.begins) });
  }

  private number(of: number): string {
    return new Intl.NumberFormat(this.hass.locale.language).format(of);
  }

  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      section {
        border-top: 1px solid var(--ff-line);
        padding: 12px 16px 16px;
      }
      h3 {
        margin: 0;
        font-size: 16px;
        line-height: 24px;
        font-weight: 500;
      }
      h4 {
        margin: 0;
        font-size: 14px;
        font-weight: 500;
      }
      p {
        margin: 0 0 8px;
      }
      .help {
        display: flex;
        gap: 8px;
        padding: 10px 12px;
        border-radius: 12px;
        background: color-mix(in srgb, var(--primary-color) 8%, transparent);
      }
      .help svg {
        color: var(--ff-link);
      }
      ol,
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      .week {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 4px 12px;
        padding: 10px 0;
      }
      .week + .week {
        border-top: 1px solid var(--ff-line);
      }
      .bar,
      ul {
        grid-column: 1 / -1;
      }
      .bar {
        display: flex;
        gap: 2px;
        height: 8px;
        border-radius: 4px;
        overflow: hidden;
        background: var(--ff-soft);
      }
      .bar .named {
        background: var(--ff-good);
      }
      .bar .strangers {
        background: var(--ff-muted);
      }
      .bar .unclear {
        background: var(--ff-warn);
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 16px;
      }
      li.named::before,
      li.strangers::before,
      li.unclear::before {
        content: "";
        display: inline-block;
        width: 8px;
        height: 8px;
        border-radius: 4px;
        margin-inline-end: 6px;
      }
      li.named::before {
        background: var(--ff-good);
      }
      li.strangers::before {
        background: var(--ff-muted);
      }
      li.unclear::before {
        background: var(--ff-warn);
      }
    `,
  ];
}

define("familiar-faces-camera-weeks", CameraWeeks);
