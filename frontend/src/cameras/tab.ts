// The tab Cameras: can each camera see faces, and what would help.

import { LitElement, type PropertyValues, css, html, nothing } from "lit";
import { property, query } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { DOMAIN, type Hass, define, navigate } from "../ha";
import { icon, mdiAlertCircleOutline, mdiCctv, mdiPlus } from "../icons";
import { Loaded } from "../loaded";
import type { Now } from "../model";
import "../people/walk-up";
import type { WalkUp, Whose } from "../people/walk-up";
import { shared } from "../styles";
import { text } from "../text";
import { Words } from "../words";
import "./camera";
import type { CameraSetUp, CameraWeeks } from "./model";
import "./weeks";

/** Milliseconds for which changes are gathered. */
const TOGETHER = 1_000;

export class CamerasTab extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  /** What happens now: each change of it may have changed a camera. */
  @property({ attribute: false }) now: Now | undefined;
  @query("familiar-faces-walk-up") private walk!: WalkUp;
  private readonly cameras = new Loaded<{ cameras: CameraSetUp[] }>(() => this.requestUpdate());
  private readonly weeks = new Loaded<{ cameras: CameraWeeks[] }>(() => this.requestUpdate());
  private readonly words = new Words(() => this.requestUpdate());
  private soon: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.soon);
    this.soon = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!this.hass) return;
    this.words.load(this.hass);
    if (!this.cameras.value && !this.cameras.loading && !this.cameras.error) this.load();
    else if (changed.has("now")) this.soon ??= setTimeout(this.load, TOGETHER);
  }

  private readonly load = (): void => {
    this.soon = undefined;
    void this.cameras.load(this.hass, { type: "familiar_faces/cameras/list" });
    void this.weeks.load(this.hass, { type: "familiar_faces/cameras/weeks" });
  };

  protected override render(): unknown {
    const { hass, cameras } = this;
    if (!hass) return nothing;
    const add = html`<button class="tonal" @click=${() => navigate(`/config/integrations/integration/${DOMAIN}`)}>
      ${icon(mdiPlus)} ${text(hass, "cameras.add")}
    </button>`;
    const failed = cameras.error
      ? html`<div class="empty card" role="alert">
          ${icon(mdiAlertCircleOutline)}
          <p>${text(hass, "panel.loading_failed", { reason: cameras.error })}</p>
          <button class="tonal" @click=${this.load}>${text(hass, "panel.try_again")}</button>
        </div>`
      : nothing;
    if (!cameras.value) {
      return cameras.error ? failed : html`<div class="skeleton card" role="status" aria-label=${text(hass, "panel.loading")}></div>`;
    }
    if (!cameras.value.cameras.length) {
      return html`${failed}
        <div class="empty card">
          ${icon(mdiCctv)}
          <p>${text(hass, "cameras.none")}</p>
          <p class="second">${text(hass, "cameras.none_help")}</p>
          ${add}
        </div>`;
    }
    return html`${failed}
      <div class=${cameras.error || !hass.connected ? "list old" : "list"}>
        ${repeat(
          cameras.value.cameras,
          (each) => each.camera_id,
          (each) => html`<familiar-faces-camera
            .hass=${hass}
            .words=${this.words}
            .camera=${each}
            .engine=${this.now?.engine !== "down"}
            @camera-changed=${this.load}
            @photos-asked=${(event: CustomEvent<Whose>) => this.walk.show(event.detail)}
            >${this.worked(each)}</familiar-faces-camera
          >`,
        )}
      </div>
      ${add}
      <familiar-faces-walk-up .hass=${hass}></familiar-faces-walk-up>`;
  }

  private worked(camera: CameraSetUp): unknown {
    const { hass, weeks } = this;
    if (weeks.error) {
      return html`<p class="failed" role="alert">${text(hass, "panel.loading_failed", { reason: weeks.error })}</p>`;
    }
    const found = weeks.value?.cameras.find((each) => each.camera_id === camera.camera_id);
    if (!found) return nothing;
    return html`<familiar-faces-camera-weeks
      .hass=${hass}
      .words=${this.words}
      .weeks=${found.weeks}
      .advice=${found.advice}
      .faceWidth=${camera.face_width}
    ></familiar-faces-camera-weeks>`;
  }

  static override styles = [
    shared,
    css`
      :host {
        display: block;
        max-width: 1120px;
        margin: 0 auto;
        padding: 20px 16px 32px;
        container: cameras / inline-size;
      }
      .list {
        display: grid;
        gap: 16px;
        margin-bottom: 16px;
      }
      .failed {
        padding: 0 16px;
        color: var(--ff-bad);
      }
      .skeleton {
        height: 320px;
      }
    `,
  ];
}

define("familiar-faces-cameras", CamerasTab);
