// The page of somebody: for administrators, and as the tab Me for who it is about.

import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import "../face";
import { type Hass, attempt, define, download, navigate } from "../ha";
import {
  icon,
  mdiAlertOutline,
  mdiArrowLeft,
  mdiBellOff,
  mdiBellOutline,
  mdiDeleteOutline,
  mdiDownload,
  mdiFileDocumentOutline,
  mdiHistory,
  mdiImageOffOutline,
  mdiLinkVariant,
  mdiQrcode,
  mdiTune,
} from "../icons";
import "../me/choices";
import { failed, instead } from "../state";
import { dialogs, shared } from "../styles";
import { date, text, when } from "../text";
import { Topic } from "../topic";
import { exception, sure, where } from "../visits/words";
import { consentFacts } from "./consent";
import "./forget-dialog";
import type { ForgetDialog } from "./forget-dialog";
import "./invite-dialog";
import type { InviteDialog } from "./invite-dialog";
import { type Page, type Receipt, photoPath } from "./model";
import "./photos";
import "./receipt";
import { pages } from "./styles";
import "./walk-up";
import type { WalkUp } from "./walk-up";

const HOUR = 3600;

export class PersonPage extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  /** Whose page it is; the user's own without one. */
  @property({ attribute: false }) person: string | undefined;
  /** Whether photos cannot be looked at. */
  @property({ attribute: false }) down = false;
  @property({ type: Boolean, reflect: true }) narrow = false;
  @state() private refused: string | undefined;
  @state() private receipt: Receipt | undefined;
  @state() private reading = false;
  @state() private changing = false;
  @query("familiar-faces-forget") private forget!: ForgetDialog;
  @query("familiar-faces-invite") private invite!: InviteDialog;
  @query("familiar-faces-walk-up") private walk!: WalkUp;
  private readonly topic = new Topic<Page>(this);

  protected override willUpdate(): void {
    if (!this.hass || !this.isConnected || this.receipt) return;
    const whose = this.person ? { person_id: this.person } : {};
    this.topic.follow(this.hass, { type: "familiar_faces/person/subscribe", ...whose });
  }

  protected override render(): unknown {
    const { hass, topic, receipt } = this;
    if (!hass) return nothing;
    if (receipt) {
      return html`<familiar-faces-receipt .hass=${hass} .receipt=${receipt}>
        ${this.person
          ? html`<button class="link" @click=${() => navigate("/familiar-faces/people")}>${text(hass, "people.all")}</button>`
          : nothing}
      </familiar-faces-receipt>`;
    }
    const gone = text(hass, this.person ? "people.gone" : "me.gone");
    const other = instead(hass, topic, gone, () => {
      topic.stop();
      this.requestUpdate();
    });
    const page = topic.said;
    return html`
      ${this.person && !page ? this.back() : nothing}
      ${other ?? (page ? this.content(page) : nothing)}
      <familiar-faces-forget
        .hass=${hass}
        @person-forgotten=${(event: CustomEvent<Receipt>) => {
          this.receipt = event.detail;
          topic.stop();
          void this.updateComplete.then(() =>
            this.renderRoot.querySelector<HTMLElement>("familiar-faces-receipt")?.focus(),
          );
        }}
      ></familiar-faces-forget>
      <familiar-faces-invite .hass=${hass}></familiar-faces-invite>
      <familiar-faces-walk-up .hass=${hass}></familiar-faces-walk-up>
    `;
  }

  private back(): unknown {
    const words = text(this.hass, "people.all");
    return html`<button
      class="icon-button"
      aria-label=${words}
      title=${words}
      @click=${() => navigate("/familiar-faces/people")}
    >
      ${icon(mdiArrowLeft)}
    </button>`;
  }

  private content(page: Page): unknown {
    const { hass, topic } = this;
    const old = !hass.connected || topic.status !== "ready";
    return html`${failed(hass, topic)}
      ${this.refused
        ? html`<p class="note bad" role="alert">${text(hass, "panel.refused", { reason: this.refused })}</p>`
        : nothing}
      <div class=${old ? "old" : ""}>
        ${page.mine ? nothing : this.heading(page)}
        <div class="columns">
          <div>
            ${page.mine ? this.consent(page) : nothing}
            <familiar-faces-photos
              .hass=${hass}
              .page=${page}
              .down=${this.down}
              @person-asked=${() => this.invite.show(page)}
              @camera-asked=${() => this.walk.show(page)}
            ></familiar-faces-photos>
            ${page.alike.map((each) => this.alike(page, each.name))} ${page.silent ? nothing : this.visits(page)}
          </div>
          <div>${page.mine ? nothing : this.consent(page)} ${this.notifications(page)} ${this.kept(page)}</div>
        </div>
      </div>`;
  }

  private heading(page: Page): unknown {
    const { hass } = this;
    const camera = page.last?.camera ?? text(hass, "visit.at_a_camera");
    const seen = page.silent
      ? text(hass, "people.silent", { name: page.name })
      : !page.last
        ? text(hass, "people.not_seen")
        : page.here
          ? text(hass, "people.here", { camera })
          : text(hass, "people.seen", { when: when(hass, page.last.at), camera });
    const linked = page.linked ? ` · ${text(hass, "person.linked", { name: page.linked })}` : "";
    return html`<div class="head">
      ${this.back()}
      <familiar-faces-face
        .hass=${hass}
        .name=${page.name}
        .photo=${page.face ? photoPath(page.person_id, page.face) : undefined}
      ></familiar-faces-face>
      <div class="words">
        <h2>${page.name}</h2>
        <p class="second">${seen}${linked}</p>
      </div>
      <div class="actions">
        <button class="tonal" @click=${() => this.invite.show(page)}>
          ${icon(mdiQrcode)}${text(hass, "person.renew")}
        </button>
        <button class="tonal" @click=${() => this.invite.show(page, true)}>
          ${icon(mdiLinkVariant)}${text(hass, "person.link")}
        </button>
      </div>
    </div>`;
  }

  private alike(page: Page, other: string): unknown {
    const { hass } = this;
    return html`<div class="note warn">
      ${icon(mdiAlertOutline)}
      <div>
        <strong>${text(hass, "person.alike", { name: page.name, other })}</strong>
        <div>${text(hass, "person.alike_help")}</div>
      </div>
    </div>`;
  }

  private consent(page: Page): unknown {
    const { hass } = this;
    const { consent } = page;
    if (this.changing) {
      return html`<familiar-faces-choices
        .hass=${hass}
        @choices-done=${() => (this.changing = false)}
      ></familiar-faces-choices>`;
    }
    return html`<section class="card box" aria-labelledby="agreed">
      <h2 id="agreed">${text(hass, page.mine ? "consent.you_agreed" : "consent.agreed", { name: page.name })}</h2>
      ${consentFacts(hass, consent)}
      ${page.mine && !page.may ? html`<p class="second">${text(hass, "me.read_only")}</p>` : nothing}
      ${page.mine && page.child ? html`<p class="second">${text(hass, "me.child")}</p>` : nothing}
      <div class="actions">
        ${consent?.text
          ? html`<button class="tonal" aria-expanded=${this.reading} @click=${() => (this.reading = !this.reading)}>
              ${icon(mdiFileDocumentOutline)}${text(hass, "consent.read")}
            </button>`
          : nothing}
        ${!page.mine
          ? html`<button class="tonal" @click=${() => this.invite.show(page)}>
              ${icon(mdiQrcode)}${text(hass, "consent.change")}
            </button>`
          : page.may && !page.child
            ? html`<button class="tonal" @click=${() => (this.changing = true)}>
                ${icon(mdiTune)}${text(hass, "me.change")}
              </button>`
            : nothing}
      </div>
      ${this.reading && consent
        ? html`<div class="text">${consent.text.split("\n\n").map((each) => html`<p>${each}</p>`)}</div>`
        : nothing}
    </section>`;
  }

  /** The last visits; why pictures are missing is said once. */
  private visits(page: Page): unknown {
    const { hass } = this;
    const missing = new Set(page.visits.flatMap((each) => exception(hass, each) ?? []));
    const path = `/familiar-faces/visits/${encodeURIComponent(page.person_id)}`;
    return html`<section class="card box" aria-labelledby="visits">
      <h2 id="visits">${text(hass, page.mine ? "me.visits" : "person.visits")}</h2>
      ${page.visits.length
        ? html`<ul class="visits">
            ${repeat(
              page.visits,
              (each) => each.visit_id,
              (each) => html`<li>
                <familiar-faces-face .hass=${hass} .visit=${each}></familiar-faces-face>
                <div class="words">
                  <div><time datetime=${each.at}>${when(hass, each.at)}</time></div>
                  <div class="second">${where(hass, each)}</div>
                </div>
                ${each.sure ? html`<span class="tag ${each.sure}">${sure(hass, each)}</span>` : nothing}
              </li>`,
            )}
          </ul>`
        : html`<p class="second">${text(hass, "person.visits_none")}</p>`}
      ${[...missing].map((each) => html`<p class="second plain">${icon(mdiImageOffOutline)}${each}</p>`)}
      ${page.more_visits
        ? html`<div class="actions">
            <button class="link plain" @click=${() => navigate(path)}>
              ${icon(mdiHistory)}${text(hass, page.mine ? "me.all_visits" : "person.all_visits", { name: page.name })}
            </button>
          </div>`
        : nothing}
    </section>`;
  }

  private notifications(page: Page): unknown {
    const { hass } = this;
    if (page.mine ? !page.phone || !page.may : page.silent) return nothing;
    const muted = page.mine ? page.phone!.muted : page.muted;
    const button = (words: string, seconds: number) =>
      html`<button class="tonal" @click=${() => this.mute(page, seconds)}>${words}</button>`;
    return html`<section class="card box" aria-labelledby="notifications">
      <h2 id="notifications">${text(hass, page.mine ? "me.phone" : "person.notifications")}</h2>
      <p class="plain" role="status">
        ${icon(muted ? mdiBellOff : mdiBellOutline)}
        ${muted
          ? text(hass, "person.muted", { time: when(hass, muted) })
          : text(hass, page.mine ? "me.not_muted" : "person.not_muted", { name: page.name })}
      </p>
      <div class="actions" role="group" aria-label=${text(hass, "person.mute_for")}>
        ${muted
          ? button(text(hass, "person.unmute"), 0)
          : html`<span class="second">${text(hass, "person.mute_for")}</span>
              ${button(text(hass, "person.mute_hour"), HOUR)} ${button(text(hass, "person.mute_day"), 24 * HOUR)}
              ${button(text(hass, "person.mute_week"), 7 * 24 * HOUR)}`}
      </div>
    </section>`;
  }

  private kept(page: Page): unknown {
    const { hass } = this;
    const { kept } = page;
    const row = (what: unknown, count: number) => html`<div><dt>${what}</dt><dd>${count}</dd></div>`;
    const oldest = kept.oldest
      ? html` <span class="second">· ${text(hass, "person.kept_oldest", { day: date(hass, kept.oldest) })}</span>`
      : nothing;
    return html`<section class="card box" aria-labelledby="kept">
      <h2 id="kept">${text(hass, page.mine ? "me.kept" : "person.kept", { name: page.name })}</h2>
      <dl class="rows">
        ${row(text(hass, "person.kept_photos"), kept.photos)}
        ${row(html`${text(hass, "person.kept_visits")}${oldest}`, kept.visits)}
        ${row(text(hass, "person.kept_pictures"), kept.pictures)}
      </dl>
      ${page.may
        ? html`<div class="actions">
            <button class="link plain" @click=${() => this.export(page)}>
              ${icon(mdiDownload)}${text(hass, page.mine ? "me.download" : "person.export")}
            </button>
            <button class="tonal danger" @click=${() => this.forget.show(page)}>
              ${icon(mdiDeleteOutline)}${text(hass, page.mine ? "forget.button_no" : "person.forget", { name: page.name })}
            </button>
          </div>`
        : nothing}
    </section>`;
  }

  private async mute(page: Page, seconds: number): Promise<void> {
    await this.ask(() =>
      page.mine
        ? this.hass.callWS({ type: "familiar_faces/me/mute", seconds })
        : this.hass.callService("familiar_faces", "mute", { person: page.person_id, duration: { seconds } }),
    );
  }

  private async export(page: Page): Promise<void> {
    await this.ask(async () => {
      const { url } = await this.hass.callWS<{ url: string }>({
        type: "familiar_faces/person/export",
        person_id: page.person_id,
      });
      download(this.renderRoot, url);
    });
  }

  private async ask(what: () => Promise<unknown>): Promise<void> {
    this.refused = await attempt(this.hass, what);
  }

  static override styles = [
    shared,
    dialogs,
    pages,
    css`
      :host([inside]) {
        padding: 0;
      }
      .head {
        --ff-face: 72px;
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
      }
      .head .words {
        flex: 1 1 180px;
        min-width: 0;
      }
      .head h2 {
        margin: 0;
        font-size: 24px;
        line-height: 32px;
        font-weight: 400;
        overflow-wrap: anywhere;
      }
      .head p {
        margin: 0;
      }
      .visits {
        --ff-face: 40px;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      .visits li {
        display: flex;
        align-items: center;
        gap: 12px;
        padding: 8px 0;
      }
      .visits li + li {
        border-top: 1px solid var(--ff-line);
      }
      .visits .words {
        flex: 1;
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .text {
        max-height: 320px;
        overflow: auto;
        border-top: 1px solid var(--ff-line);
        padding-top: 12px;
      }
      .text p + p {
        margin-top: 8px;
      }
      p.note {
        margin-top: 8px;
      }
    `,
  ];
}

define("familiar-faces-person", PersonPage);
