// The card "At the door": who is at the cameras, and who came last to each.

import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import "../face";
import { VisitFeed } from "../feed";
import { type Hass, attempt, define, navigate } from "../ha";
import {
  icon,
  mdiAccountQuestion,
  mdiAlertCircleOutline,
  mdiBellOff,
  mdiBellOffOutline,
  mdiCctv,
  mdiCheck,
  mdiCheckCircle,
  mdiDoor,
} from "../icons";
import type { Camera, Glimpse, Visit } from "../model";
import { shared } from "../styles";
import { text, time } from "../text";
import { mute } from "../visits/mute";
import { lately, present } from "../visits/now";
import "../visits/who-dialog";
import type { WhoDialog } from "../visits/who-dialog";

export interface CardConfig {
  type: string;
  title?: string;
  /** The cameras that are shown, by their ids in Familiar Faces; all of them without any. */
  cameras?: string[];
  /** Whether there is a button that mutes them for an hour. */
  mute?: boolean;
}

export function checked(config: CardConfig): CardConfig {
  const { title, cameras, mute } = config;
  if (title !== undefined && typeof title !== "string") throw new Error("title has to be a text");
  if (cameras !== undefined && !(Array.isArray(cameras) && cameras.every((each) => typeof each === "string"))) {
    throw new Error("cameras has to be a list of ids");
  }
  if (mute !== undefined && typeof mute !== "boolean") throw new Error("mute has to be true or false");
  return config;
}

export class AtTheDoor extends LitElement {
  @property({ attribute: false }) hass: Hass | undefined;
  @state() private config: CardConfig | undefined;
  @state() private refused: string | undefined;
  @query("familiar-faces-who") private who!: WhoDialog;
  private readonly feed = new VisitFeed(() => this.requestUpdate());
  private connection: unknown;

  static getConfigElement(): HTMLElement {
    return document.createElement("familiar-faces-card-editor");
  }

  static getStubConfig(): object {
    return {};
  }

  setConfig(config: CardConfig): void {
    this.config = checked(config);
  }

  getCardSize(): number {
    return 2 + this.cameras().length;
  }

  getGridOptions(): object {
    return { columns: 12, min_columns: 6, rows: "auto" };
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.feed.stop();
    this.connection = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  protected override willUpdate(): void {
    if (this.hass && this.isConnected && this.connection !== this.hass.connection) {
      this.connection = this.hass.connection;
      this.feed.start(this.hass, {}, 0);
    }
  }

  private cameras(): Camera[] {
    const all = this.feed.now?.cameras ?? [];
    const wanted = this.config?.cameras;
    return wanted?.length ? all.filter((each) => wanted.includes(each.camera_id)) : all;
  }

  protected override render(): unknown {
    const { hass, config, feed } = this;
    if (!hass || !config) return nothing;
    const title = config.title ?? text(hass, "card.name");
    return html`<ha-card>
      <div class="whole">
        ${title ? html`<h2>${title}</h2>` : nothing} ${this.content(hass)}
        ${this.refused
          ? html`<p class="bad" role="alert">${text(hass, "panel.refused", { reason: this.refused })}</p>`
          : nothing}
      </div>
      <footer>
        ${config.mute !== false && feed.now?.mutes && this.cameras().length ? this.mute(hass) : nothing}
        <a class="link all" href="/familiar-faces" @click=${this.all}>${text(hass, "card.all_visits")}</a>
      </footer>
      <familiar-faces-who
        .hass=${hass}
        .people=${feed.people}
        @visit-answered=${(event: CustomEvent<{ visit: Visit; person_id: string; learn: boolean }>) => {
          const { visit, person_id, learn } = event.detail;
          void this.answer(visit, { correct: false, person_id, learn });
        }}
      ></familiar-faces-who>
    </ha-card>`;
  }

  private content(hass: Hass): unknown {
    const { feed } = this;
    if (feed.status === "refused") {
      return html`<div class="box bad" role="alert">
        ${icon(mdiAlertCircleOutline)}<span>${text(hass, "panel.refused", { reason: feed.error ?? "" })}</span>
      </div>`;
    }
    if (!hass.connected || feed.status === "stopped") {
      return html`<div class="box" role="status">
        ${icon(mdiAlertCircleOutline)}<span>${text(hass, hass.connected ? "panel.stopped" : "panel.offline")}</span>
      </div>`;
    }
    if (!feed.now) return html`<div class="row" role="status" aria-label=${text(hass, "panel.loading")}></div>`;
    const cameras = this.cameras();
    const here = cameras.filter((each) => present(hass, each));
    const others = cameras.filter((each) => !here.includes(each));
    return html`
      ${feed.now.engine === "down"
        ? html`<div class="box bad" role="alert">
            ${icon(mdiAlertCircleOutline)}<span>${text(hass, "panel.engine_down")}</span>
          </div>`
        : nothing}
      <div role="status">
        ${here.map(
          (each) => html`<div class="row here">
            ${this.face(hass, each)}
            <div class="words">
              <div class="name">${present(hass, each)}</div>
              <div class="second">${each.name}${each.here[0] ? ` · ${time(hass, each.here[0].at)}` : ""}</div>
              ${each.here.length === 1 ? this.answers(hass, each, each.here[0]!) : nothing}
            </div>
          </div>`,
        )}
        ${!here.length && cameras.length && feed.now.engine !== "down"
          ? html`<div class="row nobody">
              <div class="sign">${icon(mdiDoor)}</div>
              <div class="name">${text(hass, "card.nobody")}</div>
            </div>`
          : nothing}
      </div>
      ${others.map(
        (each) => html`<div class="row">
          ${this.face(hass, each)}
          <div class="words">
            <div class="name">${each.name}</div>
            <div class="second ${each.trouble ? "trouble" : ""}">${lately(hass, each)}</div>
            ${each.last && !each.trouble ? this.answers(hass, each, each.last) : nothing}
          </div>
        </div>`,
      )}
      ${cameras.length ? nothing : html`<p class="second">${text(hass, "card.no_camera")}</p>`}
    `;
  }

  private face(hass: Hass, camera: Camera): unknown {
    const visit = camera.here[0] ?? (present(hass, camera) ? undefined : camera.last);
    if (visit && !(camera.trouble && !camera.here.length)) {
      return html`<familiar-faces-face .hass=${hass} .visit=${visit}></familiar-faces-face>`;
    }
    return html`<div class="sign">${icon(present(hass, camera) ? mdiAccountQuestion : mdiCctv)}</div>`;
  }

  /** Whether it was right: of visits with a name, for who may say so, until it is said. */
  private answers(hass: Hass, camera: Camera, visit: Glimpse): unknown {
    if (visit.kind !== "familiar" || !visit.answers) return nothing;
    if (visit.answer) {
      const { correct, person_id } = visit.answer;
      const other = this.feed.people.find((each) => each.person_id === person_id)?.name;
      const words = correct
        ? text(hass, "answer.said_right")
        : other !== undefined
          ? text(hass, "answer.said_other", { name: other })
          : text(hass, "answer.said_nobody");
      return html`<div class="answers">
        <span class="said" role="status">${icon(mdiCheckCircle)}${words}</span>
        <button
          class="link"
          @click=${() => this.ask({ type: "familiar_faces/visits/undo", visit_id: visit.visit_id })}
        >
          ${text(hass, "answer.undo")}
        </button>
      </div>`;
    }
    if (visit.sure === "said") return nothing;
    const group = text(hass, "answer.group", { name: visit.name ?? "" });
    return html`<div class="answers" role="group" aria-label=${group}>
      <button class="link" @click=${() => this.answer(visit, { correct: true })}>
        ${icon(mdiCheck)}${text(hass, "answer.right")}
      </button>
      ${visit.answers === "any"
        ? html`<button class="link" @click=${() => this.other(camera, visit)}>${text(hass, "answer.it_was")}</button>`
        : html`<button class="link" @click=${() => this.answer(visit, { correct: false })}>
            ${text(hass, "answer.not_me")}
          </button>`}
    </div>`;
  }

  private other(camera: Camera, visit: Glimpse): void {
    const { camera_id, name } = camera;
    const asked = { confidence: null, held: null, reason: null, quality: null, answer: null, suggested: [] };
    void this.who.show({ ...visit, ...asked, camera_id, camera: name });
  }

  private async answer(visit: Glimpse, said: object): Promise<void> {
    await this.ask({ type: "familiar_faces/visits/answer", visit_id: visit.visit_id, ...said });
  }

  private async ask(message: object): Promise<void> {
    this.refused = await attempt(this.hass!, () => this.hass!.callWS(message));
  }

  private muted(): boolean {
    const muted = this.feed.now?.muted ?? {};
    return this.cameras().every((each) => Date.parse(muted[each.camera_id] ?? "") > Date.now());
  }

  private mute(hass: Hass): unknown {
    const muted = this.muted();
    const what = this.config?.title ?? text(hass, "card.name");
    const begin = this.feed.now?.mutes === "own" ? "answer.mute_own" : "answer.mute";
    return html`<button
      class="link"
      title=${text(hass, muted ? "answer.unmute" : begin, { what })}
      @click=${() => this.setMute(muted ? 0 : 3600)}
    >
      ${icon(muted ? mdiBellOff : mdiBellOffOutline)}
      ${muted ? text(hass, "answer.unmute", { what }) : text(hass, "card.mute")}
    </button>`;
  }

  private async setMute(seconds: number): Promise<void> {
    this.refused = await attempt(this.hass!, async () => {
      for (const each of this.cameras()) {
        await mute(this.hass!, this.feed.now, { camera_id: each.camera_id }, seconds);
      }
    });
  }

  private all(event: MouseEvent): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    navigate("/familiar-faces");
  }

  static override styles = [
    shared,
    css`
      :host {
        --ff-face: 40px;
        display: block;
      }
      .whole {
        padding: 16px;
        display: grid;
        gap: 4px;
      }
      h2 {
        margin: 0 0 4px;
        font-size: 18px;
        line-height: 28px;
        font-weight: 400;
      }
      .row {
        display: flex;
        align-items: center;
        gap: 12px;
        min-height: 48px;
        border-radius: 12px;
      }
      .row.here {
        padding: 6px 12px;
        background: color-mix(in srgb, var(--success-color, #43a047) 14%, transparent);
        margin-bottom: 4px;
      }
      .words {
        min-width: 0;
      }
      .name {
        font-weight: 500;
      }
      .answers {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px;
        margin-inline-start: -8px;
      }
      .answers .link,
      .said {
        display: inline-flex;
        align-items: center;
        gap: 6px;
      }
      .said {
        color: var(--ff-good);
        padding-inline-start: 8px;
      }
      .trouble {
        color: var(--ff-warn);
      }
      .sign {
        width: 40px;
        height: 40px;
        border-radius: 50%;
        display: grid;
        place-items: center;
        flex: none;
        background: var(--ff-soft);
        color: var(--ff-muted);
      }
      .box {
        display: flex;
        gap: 12px;
        align-items: center;
        padding: 12px;
        border-radius: 12px;
        background: var(--ff-soft);
      }
      .bad {
        color: var(--ff-bad);
      }
      .box.bad {
        background: color-mix(in srgb, var(--error-color, #db4437) 12%, transparent);
      }
      footer {
        display: flex;
        align-items: center;
        border-top: 1px solid var(--ff-line);
        padding: 4px 8px;
      }
      footer .link {
        display: inline-flex;
        align-items: center;
        gap: 6px;
      }
      .all {
        margin-inline-start: auto;
      }
    `,
  ];
}

define("familiar-faces-card", AtTheDoor);
