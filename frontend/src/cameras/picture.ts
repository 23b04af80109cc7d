// What a camera shows now, upright and with the faces in it measured. It lives as long as it is on the screen.

import { LitElement, type PropertyValues, css, html, nothing, svg } from "lit";
import { property } from "lit/decorators.js";
import { type Hass, define } from "../ha";
import { shared } from "../styles";
import { text, time } from "../text";
import type { Words } from "../words";
import type { ShownFace, ShownPicture } from "./model";

/** Letters are this share of the picture's width. */
const LETTERS = 0.032;

export class CameraPicture extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) words!: Words;
  @property({ attribute: false }) shown!: ShownPicture;
  @property() camera = "";
  /** Where the picture lies in this browser, as long as it is shown. */
  private address: string | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate("shown");
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.drop();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("shown") || !this.shown) return;
    this.drop();
    const bytes = Uint8Array.from(atob(this.shown.picture), (each) => each.charCodeAt(0));
    this.address = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
  }

  private drop(): void {
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = undefined;
  }

  protected override render(): unknown {
    const { hass, shown } = this;
    if (!hass || !shown) return nothing;
    const [width, height] = shown.size;
    const label = text(hass, "cameras.picture_of", { camera: this.camera, time: time(hass, shown.at), faces: this.said() });
    return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label=${label}>
        ${svg`<image
          href=${this.address ?? nothing}
          transform=${upright(shown.turn, width, height)}
          width=${shown.turn % 180 ? height : width}
          height=${shown.turn % 180 ? width : height}
          preserveAspectRatio="none"
        ></image>
        ${shown.faces.map((each) => this.face(each))}`}
      </svg>
      <span class="at">${time(hass, shown.at)}</span>`;
  }

  private said(): string {
    const { hass, shown } = this;
    const count = shown.faces.length;
    if (!count) return text(hass, "cameras.faces_none");
    const each = shown.faces.map((face) => this.measured(face)).join("; ");
    return `${count === 1 ? text(hass, "cameras.faces_one") : text(hass, "cameras.faces_many", { count })}: ${each}`;
  }

  private measured(face: ShownFace): string {
    if (face.poster !== null) return text(this.hass, "cameras.poster_ignored", { number: face.poster });
    return `${face.width} px, ${this.words.say("quality", face.quality)}`;
  }

  private face(face: ShownFace): unknown {
    const [full, tall] = this.shown.size;
    const [left, top, width, height] = face.box;
    const letters = Math.max(full * LETTERS, 10);
    const said = this.measured(face);
    const wide = Math.min(said.length * letters * 0.55 + letters, full);
    const high = letters * 1.6;
    const x = Math.min(Math.max(left, 0), full - wide);
    const above = top - high - letters * 0.3;
    const y = above >= 0 ? above : Math.min(top + height + letters * 0.3, tall - high);
    return svg`<g class=${face.quality === "good" && face.poster === null ? "good" : "poor"}>
      <rect class="box" x=${left} y=${top} width=${width} height=${height} rx=${letters * 0.3} stroke-width=${letters * 0.16}></rect>
      <rect class="label" x=${x} y=${y} width=${wide} height=${high} rx=${letters * 0.3}></rect>
      <text x=${x + wide / 2} y=${y + high * 0.68} font-size=${letters} text-anchor="middle">${said}</text>
    </g>`;
  }

  static override styles = [
    shared,
    css`
      :host {
        display: block;
        position: relative;
      }
      svg {
        width: 100%;
        height: auto;
        max-height: 70vh;
        fill: none;
        background: #000;
      }
      .box {
        stroke: #4fc3f7;
      }
      .label {
        fill: #01579b;
      }
      .poor .box {
        stroke: #ffb74d;
      }
      .poor .label {
        fill: #8a3b00;
      }
      text {
        fill: #fff;
        font-weight: 500;
      }
      .at {
        position: absolute;
        inset-block-start: 8px;
        inset-inline-start: 8px;
        padding: 2px 8px;
        border-radius: 10px;
        font-size: 12px;
        color: #fff;
        background: rgba(0, 0, 0, 0.7);
      }
    `,
  ];
}

/** Return how a picture is turned clockwise into one of this width and height. */
export function upright(turn: number, width: number, height: number): string {
  if (turn === 90) return `translate(${width} 0) rotate(90)`;
  if (turn === 180) return `translate(${width} ${height}) rotate(180)`;
  if (turn === 270) return `translate(0 ${height}) rotate(270)`;
  return "";
}

define("familiar-faces-camera-picture", CameraPicture);
