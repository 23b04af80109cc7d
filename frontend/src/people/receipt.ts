// The receipt of somebody who was forgotten: what was erased, that it was looked for again, and what stays. No name.

import { LitElement, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { type Hass, define, sentences } from "../ha";
import { icon, mdiAlertOutline, mdiDownload, mdiShieldCheckOutline } from "../icons";
import { dialogs, shared } from "../styles";
import { moment, text } from "../text";
import { plain } from "../todo/tab";
import type { Receipt } from "./model";

const OF_THE_HOME = ["entities", "states", "events", "statistics", "restored_states", "traces", "notifications"];
const RECORDER = ["database_server", "not_repacked", "not_running"];

export class ReceiptPage extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) receipt!: Receipt;
  @state() private say: Awaited<ReturnType<typeof sentences>> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    void sentences(this.hass).then((say) => (this.say = say));
  }

  /** What the receipt says, line by line. */
  private facts(): [string, string][] {
    const { receipt, say } = this;
    const home = receipt.elsewhere ?? {};
    const counted = [
      ...Object.entries(receipt.erased ?? {}),
      ...OF_THE_HOME.map((key): [string, unknown] => [key, home[key]]),
    ];
    return counted
      .filter(([, count]) => count)
      .map(([key, count]) => [say?.("receipt", key) ?? key, String(count)]);
  }

  private verdict(): string {
    const { receipt, say } = this;
    if (!say) return "";
    if (receipt.erased === null) return say("receipt", "nothing");
    if (receipt.verified) return plain(say("receipt", "everywhere"));
    const stores = (receipt.not_yet ?? []).map((each) => say("stores", each)).join(", ");
    if (stores) return plain(say("receipt", "not_yet", { stores }));
    return plain(say("receipt", receipt.finished_at ? "not_verified" : "going_on"));
  }

  private notes(): string[] {
    const { receipt, say } = this;
    if (!say || receipt.erased === null) return [];
    const recorder = String(receipt.elsewhere?.["recorder"] ?? "");
    const places = Object.entries(receipt.mentioned ?? {}).flatMap(([kind, wheres]) =>
      wheres.map((where) => say("mention", kind, { where })),
    );
    return [
      ...(RECORDER.includes(recorder) ? [say("receipt", recorder)] : []),
      ...(places.length ? [plain(say("receipt", "elsewhere", { places: places.join(", ") }))] : []),
      say("receipt", "not_reached"),
    ];
  }

  protected override render(): unknown {
    const { hass, receipt } = this;
    const good = receipt.verified ?? receipt.erased === null;
    const number = text(hass, "forget.number", { number: receipt.person_id.slice(0, 8) });
    return html`<article class="card" aria-labelledby="title">
      <div class="sign ${good ? "good" : "warn"}">${icon(good ? mdiShieldCheckOutline : mdiAlertOutline)}</div>
      <h2 id="title" tabindex="-1">${text(hass, "forget.forgotten")}</h2>
      ${receipt.forgotten_at ? html`<p class="second">${moment(hass, receipt.forgotten_at)}</p>` : nothing}
      <dl class="rows">
        ${this.facts().map(([what, count]) => html`<div><dt>${what}</dt><dd>${count}</dd></div>`)}
      </dl>
      <p class="verdict">${this.verdict()}</p>
      ${this.notes().map((each) => html`<p class="second">${each}</p>`)}
      <p class="second">${number}</p>
      <footer>
        <a class="tonal" download="receipt.txt" href=${this.file(number)}>
          ${icon(mdiDownload)}${text(hass, "forget.download")}
        </a>
        <slot></slot>
      </footer>
    </article>`;
  }

  /** The receipt as a text file. */
  private file(number: string): string {
    const { receipt } = this;
    const lines = [
      `${text(this.hass, "forget.forgotten")} ${receipt.forgotten_at ?? ""}`,
      ...this.facts().map(([what, count]) => `${what}: ${count}`),
      this.verdict(),
      ...this.notes(),
      number,
    ];
    return `data:text/plain;charset=utf-8,${encodeURIComponent(lines.join("\n"))}`;
  }

  override focus(): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>("#title")?.focus());
  }

  static override styles = [
    shared,
    dialogs,
    css`
      :host {
        display: block;
        max-width: 640px;
        margin: 16px auto;
      }
      article {
        padding: 24px;
        display: grid;
        gap: 12px;
      }
      .sign {
        width: 64px;
        height: 64px;
        border-radius: 50%;
        display: grid;
        place-items: center;
        justify-self: center;
      }
      .sign svg {
        width: 36px;
        height: 36px;
      }
      .sign.good {
        color: var(--ff-good);
        background: color-mix(in srgb, var(--success-color, #43a047) 14%, transparent);
      }
      .sign.warn {
        color: var(--ff-warn);
        background: color-mix(in srgb, var(--warning-color, #ffa600) 16%, transparent);
      }
      h2 {
        margin: 0;
        text-align: center;
        font-size: 20px;
        line-height: 28px;
        font-weight: 400;
        outline: none;
      }
      h2 + p {
        text-align: center;
      }
      p {
        margin: 0;
      }
      .verdict {
        font-weight: 500;
      }
      footer {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        align-items: center;
      }
      a {
        text-decoration: none;
      }
    `,
  ];
}

define("familiar-faces-receipt", ReceiptPage);
