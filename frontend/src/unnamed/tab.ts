// The tab Unnamed: the review inbox, by time. Pictures are not compared: these people agreed to nothing.

import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import "../face";
import { DOMAIN, type Hass, attempt, define, navigate } from "../ha";
import { icon, mdiAccountSearchOutline, mdiCheckCircle, mdiDeleteOutline, mdiIncognito, mdiQrcode } from "../icons";
import type { Answer, Kind, Person, Visit } from "../model";
import "../people/invite-dialog";
import type { InviteDialog } from "../people/invite-dialog";
import { pages } from "../people/styles";
import { failed, instead } from "../state";
import { dialogs, shared } from "../styles";
import { type Key, text, time, when } from "../text";
import { Topic } from "../topic";
import "../visits/who-dialog";
import type { WhoDialog } from "../visits/who-dialog";

const HOUR = 3_600_000;

interface Unnamed {
  visit_id: string;
  kind: Kind;
  at: string;
  until: string;
  camera_id: string;
  camera: string | null;
  answer: Answer | null;
}

interface Inbox {
  on: boolean;
  hours: number;
  people: Person[];
  visits: Unnamed[];
}

export class UnnamedTab extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ type: Boolean, reflect: true }) narrow = false;
  @state() private asked: string | undefined;
  @state() private refused: string | undefined;
  @query("familiar-faces-who") private who!: WhoDialog;
  @query("familiar-faces-invite") private invite!: InviteDialog;
  private readonly topic = new Topic<Inbox>(this);
  private minutes: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    // The hours that are left become fewer.
    this.minutes = setInterval(() => this.requestUpdate(), 60_000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.minutes);
  }

  protected override willUpdate(): void {
    if (this.hass && this.isConnected) this.topic.follow(this.hass, { type: "familiar_faces/unnamed/subscribe" });
  }

  protected override render(): unknown {
    const { hass, topic } = this;
    if (!hass) return nothing;
    const other = instead(hass, topic, "", () => {
      topic.stop();
      this.requestUpdate();
    });
    const said = topic.said;
    return html`
      ${other ?? (said ? this.content(said) : nothing)}
      <familiar-faces-who
        .hass=${hass}
        .people=${said?.people ?? []}
        @visit-answered=${(event: CustomEvent<{ visit: Visit; person_id: string; learn: boolean }>) =>
          this.ask({
            type: "familiar_faces/visits/answer",
            visit_id: event.detail.visit.visit_id,
            correct: false,
            person_id: event.detail.person_id,
            learn: event.detail.learn,
          })}
      ></familiar-faces-who>
      <familiar-faces-invite .hass=${hass}></familiar-faces-invite>
    `;
  }

  private content(said: Inbox): unknown {
    const { hass, topic } = this;
    const old = !hass.connected || topic.status !== "ready";
    const all = this.asked === "all";
    return html`${failed(hass, topic)}
      <div class="note">
        ${icon(mdiIncognito)}
        <div>
          <strong>${text(hass, "unnamed.on")}</strong> ${text(hass, "unnamed.on_help", { hours: said.hours })}
          <div class="actions">
            ${said.visits.length
              ? html`<button class="tonal ${all ? "danger" : ""}" @click=${() => this.erase("all")}>
                  ${icon(mdiDeleteOutline)}${text(hass, all ? "unnamed.erase_sure" : "unnamed.erase_all")}
                </button>`
              : nothing}
            <button class="link" @click=${() => navigate(`/config/integrations/integration/${DOMAIN}`)}>
              ${text(hass, "unnamed.settings")}
            </button>
          </div>
        </div>
      </div>
      ${this.refused
        ? html`<p class="note bad" role="alert">${text(hass, "panel.refused", { reason: this.refused })}</p>`
        : nothing}
      ${said.visits.length
        ? html`<ul class="card list ${old ? "old" : ""}">
              ${repeat(said.visits, (each) => each.visit_id, (each) => this.visit(each, said.people))}
            </ul>
            <p class="second">${text(hass, "unnamed.apart")}</p>`
        : html`<div class="empty good card">
            ${icon(mdiCheckCircle)}
            <p>${text(hass, "unnamed.none")}</p>
            <p class="second">${text(hass, "unnamed.none_help")}</p>
          </div>`}`;
  }

  private visit(visit: Unnamed, people: Person[]): unknown {
    const { hass } = this;
    const camera = visit.camera ?? text(hass, "visit.at_a_camera");
    const picture = text(hass, "unnamed.picture", { camera, time: time(hass, visit.at) });
    const hours = Math.floor((Date.parse(visit.until) - Date.now()) / HOUR);
    return html`<li aria-label=${picture}>
      <familiar-faces-face
        square
        .hass=${hass}
        .photo=${`/api/familiar_faces/review/${encodeURIComponent(visit.visit_id)}`}
        .said=${picture}
      ></familiar-faces-face>
      <div class="words">
        <strong>${text(hass, `visit.${visit.kind}` as Key)}</strong>
        <span class="second">${when(hass, visit.at)} · ${camera}</span>
        <span class="tag said">
          ${hours > 0 ? text(hass, "unnamed.left", { hours }) : text(hass, "unnamed.left_last")}
        </span>
      </div>
      <div class="actions">${visit.answer ? this.said(visit, people) : this.answers(visit)}</div>
    </li>`;
  }

  private answers(visit: Unnamed): unknown {
    const { hass } = this;
    const sure = this.asked === visit.visit_id;
    return html`<button class="tonal" @click=${() => this.invite.show()}>${icon(mdiQrcode)}${text(hass, "unnamed.invite")}</button>
      <button class="tonal" @click=${() => this.name(visit)}>
        ${icon(mdiAccountSearchOutline)}${text(hass, "unnamed.this_was")}
      </button>
      <button class="tonal ${sure ? "danger" : ""}" @click=${() => this.erase(visit.visit_id)}>
        ${icon(mdiDeleteOutline)}${text(hass, sure ? "unnamed.erase_sure" : "unnamed.erase")}
      </button>`;
  }

  private said(visit: Unnamed, people: Person[]): unknown {
    const { hass } = this;
    const name = people.find((each) => each.person_id === visit.answer!.person_id)?.name ?? "";
    return html`<span role="status">${text(hass, "answer.said_other", { name })}</span>
      <button
        class="link"
        @click=${() => this.ask({ type: "familiar_faces/visits/undo", visit_id: visit.visit_id })}
      >
        ${text(hass, "answer.undo")}
      </button>`;
  }

  private name(visit: Unnamed): void {
    const asked: Visit = {
      ...visit,
      until: visit.at,
      person_id: null,
      name: null,
      sure: null,
      confidence: null,
      picture: "held",
      held: null,
      reason: null,
      quality: null,
      suggested: [],
    };
    void this.who.show(asked, `/api/familiar_faces/review/${encodeURIComponent(visit.visit_id)}`);
  }

  /** Erasing cannot be undone: the second click does it. */
  private erase(what: string): void {
    if (this.asked !== what) {
      this.asked = what;
      return;
    }
    this.asked = undefined;
    void this.ask({
      type: "familiar_faces/unnamed/erase",
      ...(what === "all" ? { all: true } : { visit_id: what }),
    });
  }

  private async ask(message: object): Promise<void> {
    this.refused = await attempt(this.hass, () => this.hass.callWS(message));
  }

  static override styles = [
    shared,
    dialogs,
    pages,
    css`
      :host {
        --ff-face: 78px;
      }
      .note {
        margin-top: 8px;
      }
      .note .actions {
        margin-top: 8px;
      }
      .list {
        margin: 16px 0 8px;
        padding: 0;
        list-style: none;
      }
      .list li {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 12px 16px;
        padding: 16px;
      }
      .list li + li {
        border-top: 1px solid var(--ff-line);
      }
      .words {
        flex: 1 1 160px;
        display: grid;
        justify-items: start;
        gap: 2px;
      }
      :host([narrow]) .list .tonal {
        padding-inline: 10px;
        gap: 4px;
      }
      .words strong {
        font-size: 16px;
        line-height: 24px;
        font-weight: 500;
      }
    `,
  ];
}

define("familiar-faces-unnamed", UnnamedTab);
