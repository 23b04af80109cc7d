// A camera of the tab Cameras: what it shows, how well, and what can be changed with one click.

import { LitElement, type PropertyValues, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { DOMAIN, type Hass, define, fire, navigate, refusal } from "../ha";
import {
  icon,
  mdiAccountMultiple,
  mdiAlertCircleOutline,
  mdiBell,
  mdiCameraPlusOutline,
  mdiCctv,
  mdiCheckCircleOutline,
  mdiCogOutline,
  mdiEyeOutline,
  mdiImageOffOutline,
  mdiMotionSensor,
  mdiRefresh,
  mdiRotateRight,
  mdiTimerSandEmpty,
  mdiVideoOutline,
} from "../icons";
import { Loaded } from "../loaded";
import { shared } from "../styles";
import { duration, text } from "../text";
import type { Words } from "../words";
import type { CameraSetUp, Role, ShownPicture, Trigger } from "./model";
import "./picture";

/** How long a picture stays in a window that nobody looks at. */
const AWAY = 5 * 60_000;
const STREAMS = ["warm", "on_trigger", "never"];
const TURNS = ["0", "90", "180", "270"];

export class CameraCard extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) words!: Words;
  @property({ attribute: false }) camera!: CameraSetUp;
  @property({ attribute: false }) engine = true;
  @state() private refused: string | undefined;
  @state() private changing = false;
  /** Whether it is asked whose photos are to be taken. */
  @state() private asking = false;
  private readonly shown = new Loaded<ShownPicture>(() => this.requestUpdate());
  private away: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.visibility);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.visibility);
    clearTimeout(this.away);
    this.shown.drop();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("camera");
    // A picture that lies otherwise than it is now turned says nothing.
    if (before && before.turn !== this.camera.turn) this.shown.drop();
  }

  private readonly visibility = (): void => {
    clearTimeout(this.away);
    if (document.hidden) {
      this.away = setTimeout(() => {
        this.shown.drop();
        this.requestUpdate();
      }, AWAY);
    }
  };

  protected override render(): unknown {
    const { hass, camera } = this;
    if (!hass || !camera) return nothing;
    const settings = text(hass, "cameras.settings", { camera: camera.name });
    return html`<article class="card" aria-label=${camera.name}>
      <div class="picture">${this.picture()}</div>
      <div class="facts">
        <header>
          <h2>${camera.name}</h2>
          <button class="icon-button" aria-label=${settings} title=${settings} @click=${this.open}>
            ${icon(mdiCogOutline)}
          </button>
        </header>
        ${this.fitness()}
        <dl>
          ${this.fact(mdiTimerSandEmpty, text(hass, "cameras.time_to_name"), this.timeToName())}
          ${this.fact(mdiEyeOutline, text(hass, "cameras.looks"), this.words.say("mode", camera.mode))}
          ${camera.triggers.length
            ? this.fact(
                camera.triggers.some((each) => each.role === "motion") ? mdiMotionSensor : mdiBell,
                text(hass, "cameras.started_by"),
                html`<ul>${camera.triggers.map((each) => this.trigger(each))}</ul>`,
              )
            : nothing}
          ${this.fact(
            mdiRotateRight,
            text(hass, "cameras.rotation"),
            this.choice(text(hass, "cameras.rotation"), "turn", TURNS, String(camera.turn), (value) => ({ turn: Number(value) })),
          )}
          ${camera.stream === null
            ? nothing
            : this.fact(
                mdiVideoOutline,
                text(hass, "cameras.stream"),
                html`<span class="tag ${camera.stream_open ? "" : "off"}"
                    >${text(hass, camera.stream_open ? "cameras.stream_open" : "cameras.stream_closed")}</span
                  >
                  ${this.choice(text(hass, "cameras.stream"), "stream_open", STREAMS, camera.stream, (value) => ({ stream: value }))}`,
              )}
          ${this.fact(mdiAccountMultiple, text(hass, "cameras.agreed"), this.agreed())}
          ${camera.posters_found.length || camera.posters_ignored.length
            ? this.fact(mdiImageOffOutline, text(hass, "cameras.posters"), this.posters())
            : nothing}
        </dl>
        ${this.refused ? html`<p class="bad" role="alert">${text(hass, "panel.refused", { reason: this.refused })}</p>` : nothing}
        <div class="actions">
          <button
            class="tonal"
            ?disabled=${!this.engine || this.shown.loading}
            title=${text(hass, this.engine ? "cameras.look_help" : "cameras.needs_engine")}
            @click=${this.look}
          >
            ${icon(mdiRefresh)} ${text(hass, "cameras.look_now")}
          </button>
          <button
            class="link"
            aria-expanded=${this.asking}
            ?disabled=${!this.engine || !camera.photos_of.length}
            title=${this.photosHelp()}
            @click=${this.takePhotos}
          >
            ${icon(mdiCameraPlusOutline)} ${text(hass, "cameras.take_photos")}
          </button>
        </div>
        ${this.asking && camera.photos_of.length
          ? html`<div class="actions" role="group" aria-label=${text(hass, "cameras.photos_of")}>
              <span>${text(hass, "cameras.photos_of")}</span>
              ${camera.photos_of.map(
                (each) => html`<button class="tonal" @click=${() => this.photosOf(each)}>${each.name}</button>`,
              )}
            </div>`
          : nothing}
      </div>
      <div class="worked"><slot></slot></div>
    </article>`;
  }

  private picture(): unknown {
    const { hass, camera, shown } = this;
    if (shown.loading) return html`<div class="none" role="status">${icon(mdiCctv)}${text(hass, "cameras.looking")}</div>`;
    if (shown.error) return html`<div class="none" role="alert">${icon(mdiAlertCircleOutline)}${shown.error}</div>`;
    if (!shown.value) {
      return html`<div class="none">
        ${icon(mdiCctv)}<span>${text(hass, this.engine ? "cameras.look_help" : "cameras.needs_engine")}</span>
      </div>`;
    }
    const { turned, faces } = shown.value;
    return html`<familiar-faces-camera-picture
        .hass=${hass}
        .words=${this.words}
        .shown=${shown.value}
        .camera=${camera.name}
      ></familiar-faces-camera-picture>
      ${faces.length ? nothing : html`<p class="under" role="status">${text(hass, "cameras.faces_none")}</p>`}
      ${turned
        ? html`<p class="under warn" role="status">
            ${text(hass, "cameras.turned", { degrees: turned })}
            <button class="link" @click=${() => this.change({ turn: (camera.turn + turned) % 360 })}>
              ${text(hass, "cameras.turn_now")}
            </button>
          </p>`
        : nothing}`;
  }

  private fitness(): unknown {
    const { hass, camera } = this;
    const say = (good: boolean, words: string, second = ""): unknown =>
      html`<p class="fitness ${good ? "good" : "warn"}">
        ${icon(good ? mdiCheckCircleOutline : mdiAlertCircleOutline)}
        <span>${words}${second ? html`<br /><span class="second">${second}</span>` : nothing}</span>
      </p>`;
    if (!camera.there) return say(false, text(hass, "cameras.gone", { entity: camera.entity_id }));
    if (!camera.on) return say(false, text(hass, "cameras.off"));
    if (camera.fitness === null) return html`<p class="second">${text(hass, "cameras.not_seen")}</p>`;
    const words = this.words.say("fitness_advice", camera.fitness, { width: String(camera.face_width ?? "?") });
    const seen = camera.faces ? text(hass, "cameras.from_faces", { count: camera.faces }) : "";
    return say(camera.fitness === "good", words, seen);
  }

  private fact(path: string, name: string, value: unknown): unknown {
    return html`<div class="fact">
      <dt>${icon(path)} ${name}</dt>
      <dd>${value}</dd>
    </div>`;
  }

  private timeToName(): string {
    const ms = this.camera.time_to_name_ms;
    if (ms === null) return text(this.hass, "cameras.no_name_yet");
    return duration(this.hass, ms);
  }

  private agreed(): unknown {
    const { agreed, people } = this.camera;
    if (!agreed) return html`<span class="tag fairly">${text(this.hass, "cameras.nobody_yet")}</span>`;
    return text(this.hass, "cameras.agreed_of", { agreed, people });
  }

  /** Faces that never move: those that may be pictures, and those that are ignored, each with one step. */
  private posters(): unknown {
    const { hass, camera } = this;
    const step = (said: string, what: string, change: object): unknown => html`<li>
      <span>${said}</span>
      <button class="link" ?disabled=${this.changing} @click=${() => this.change(change)}>${what}</button>
    </li>`;
    return html`<ul>
      ${camera.posters_found.map((id) =>
        step(text(hass, "cameras.poster_found"), text(hass, "cameras.poster_ignore"), { ignore: id }),
      )}
      ${camera.posters_ignored.map((id, at) =>
        step(text(hass, "cameras.poster_ignored", { number: at + 1 }), text(hass, "cameras.poster_again"), { recognise: id }),
      )}
    </ul>`;
  }

  private trigger(trigger: Trigger): unknown {
    const { hass } = this;
    const name = trigger.there ? trigger.name : text(hass, "cameras.trigger_gone", { trigger: trigger.name });
    const roles: Role[] = ["bell", "motion"];
    return html`<li>
      <span>${name}</span>
      ${this.camera.roles_can_change
        ? html`<select
            aria-label=${text(hass, "cameras.role", { trigger: trigger.name })}
            .value=${trigger.role}
            ?disabled=${this.changing}
            @change=${(event: Event) =>
              this.change({ roles: { [trigger.entity_id]: (event.target as HTMLSelectElement).value } })}
          >
            ${roles.map(
              (each) => html`<option value=${each} ?selected=${each === trigger.role}>${text(hass, `cameras.role_${each}`)}</option>`,
            )}
          </select>`
        : html`<span class="second">${text(hass, `cameras.role_${trigger.role}`)}</span>`}
    </li>`;
  }

  private choice(label: string, selector: string, options: string[], value: string, change: (value: string) => object): unknown {
    return html`<select
      aria-label=${label}
      .value=${value}
      ?disabled=${this.changing}
      @change=${(event: Event) => this.change(change((event.target as HTMLSelectElement).value))}
    >
      ${options.map(
        (each) => html`<option value=${each} ?selected=${each === value}>${this.words.say(selector, each)}</option>`,
      )}
    </select>`;
  }

  private readonly open = (): void => navigate(`/config/integrations/integration/${DOMAIN}`);

  private photosHelp(): string {
    if (!this.engine) return text(this.hass, "cameras.needs_engine");
    return this.camera.photos_of.length ? "" : text(this.hass, "cameras.photos_of_nobody");
  }

  /** Ask whose, unless only one person can be meant. */
  private readonly takePhotos = (): void => {
    const [only, ...others] = this.camera.photos_of;
    if (only && !others.length) this.photosOf(only);
    else this.asking = !this.asking;
  };

  private photosOf(person: CameraSetUp["photos_of"][number]): void {
    this.asking = false;
    const { camera_id, name } = this.camera;
    fire(this, "photos-asked", { ...person, cameras: [{ camera_id, name }] });
  }

  private readonly look = (): void => {
    void this.shown.load(this.hass, { type: "familiar_faces/cameras/look", camera_id: this.camera.camera_id });
  };

  /** Change it, and show what it is then: also what it still is when that was refused. */
  private async change(change: object): Promise<void> {
    this.changing = true;
    try {
      await this.hass.callWS({ type: "familiar_faces/cameras/change", camera_id: this.camera.camera_id, ...change });
      this.refused = undefined;
    } catch (error) {
      this.refused = await refusal(this.hass, error);
      // A select shows what was chosen until it is drawn again.
      for (const each of this.renderRoot.querySelectorAll("select")) {
        const chosen = each.querySelector<HTMLOptionElement>("option[selected]");
        if (chosen) each.value = chosen.value;
      }
    } finally {
      this.changing = false;
      fire(this, "camera-changed");
    }
  }

  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      article {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        overflow: hidden;
      }
      @container cameras (max-width: 720px) {
        article {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      .picture {
        background: var(--ff-soft);
        display: flex;
        flex-direction: column;
        justify-content: center;
        min-height: 200px;
      }
      .none {
        display: grid;
        justify-items: center;
        gap: 12px;
        padding: 24px;
        text-align: center;
        color: var(--ff-muted);
      }
      .none svg {
        width: 40px;
        height: 40px;
      }
      .worked {
        grid-column: 1 / -1;
      }
      .under {
        margin: 0;
        padding: 8px 16px;
      }
      .facts {
        padding: 12px 16px 16px;
        min-width: 0;
      }
      header {
        display: flex;
        align-items: center;
        justify-content: space-between;
      }
      h2 {
        margin: 0;
        font-size: 20px;
        line-height: 28px;
        font-weight: 400;
        overflow-wrap: anywhere;
      }
      .fitness {
        display: flex;
        gap: 8px;
        margin: 0 0 8px;
      }
      .fitness.good svg {
        color: var(--ff-good);
      }
      .warn {
        color: var(--ff-warn);
      }
      .bad {
        color: var(--ff-bad);
      }
      dl {
        margin: 0;
      }
      .fact {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 2px 12px;
        min-height: 40px;
        flex-wrap: wrap;
      }
      dt {
        display: flex;
        align-items: center;
        gap: 10px;
      }
      dt svg {
        color: var(--ff-link);
      }
      dd {
        margin: 0;
        margin-inline-start: auto;
        display: flex;
        align-items: center;
        justify-content: flex-end;
        gap: 8px;
        text-align: end;
        min-width: 0;
        max-width: 100%;
        overflow-wrap: anywhere;
      }
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        justify-content: flex-end;
        gap: 8px;
        min-height: 36px;
      }
      select {
        min-height: 36px;
        max-width: 100%;
        padding: 0 8px;
        border: 1px solid var(--ff-line);
        border-radius: 8px;
        background: var(--card-background-color);
        text-overflow: ellipsis;
      }
      .tag.off {
        color: var(--ff-muted);
        background: var(--ff-soft);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        margin-top: 8px;
      }
      .actions > span {
        align-self: center;
      }
      .actions .link {
        display: inline-flex;
        align-items: center;
        gap: 8px;
      }
    `,
  ];
}

define("familiar-faces-camera", CameraCard);
