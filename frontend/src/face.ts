// A face, in a circle or square: the picture of a visit, or a photo, where there is one to show, else a letter or a sign.

import { LitElement, type PropertyValues, css, html } from "lit";
import { property, state } from "lit/decorators.js";
import { type Hass, define } from "./ha";
import { icon, mdiAccountQuestion, mdiImageOffOutline } from "./icons";
import type { Glimpse } from "./model";
import { text } from "./text";

const SIGNED_FOR = 60;
const AWAY = 5 * 60_000;

export class Face extends LitElement {
  @property({ attribute: false }) hass: Hass | undefined;
  @property({ attribute: false }) visit: Glimpse | undefined;
  /** Where a photo is, in place of the picture of a visit. */
  @property({ attribute: false }) photo: string | undefined;
  /** Whose photo it is: the letter where there is none. */
  @property({ attribute: false }) name = "";
  /** What a screen reader says of a photo; none where its name stands beside it. */
  @property({ attribute: false }) said = "";
  @property({ type: Boolean, reflect: true }) square = false;
  @state() private address: string | undefined;

  private near = false;
  private asked: string | undefined;
  private hidden_: ReturnType<typeof setTimeout> | undefined;
  private observer: IntersectionObserver | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    // Only what is near the screen is fetched.
    this.observer = new IntersectionObserver(
      (entries) => {
        this.near = entries.some((each) => each.isIntersecting);
        void this.load();
      },
      { rootMargin: "200px" },
    );
    this.observer.observe(this);
    document.addEventListener("visibilitychange", this.visibility);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer?.disconnect();
    document.removeEventListener("visibilitychange", this.visibility);
    clearTimeout(this.hidden_);
    this.drop();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if ((changed.has("visit") || changed.has("photo")) && this.asked && this.asked !== this.key()) this.drop();
  }

  protected override updated(changed: PropertyValues<this>): void {
    // What could not be asked for while nobody was connected is asked for again.
    const again = this.hass?.connected && changed.get("hass")?.connected === false;
    if (changed.has("visit") || changed.has("photo") || again) void this.load();
  }

  private key(): string | undefined {
    if (this.photo) return this.photo;
    return this.visit?.picture === "shown" || this.visit?.picture === "held" ? `${this.visit.visit_id} ${this.visit.person_id}` : undefined;
  }

  private drop(): void {
    this.asked = undefined;
    this.address = undefined;
  }

  /** Pictures do not stay in a window that nobody looks at. */
  private readonly visibility = (): void => {
    clearTimeout(this.hidden_);
    if (document.hidden) this.hidden_ = setTimeout(() => this.drop(), AWAY);
    else void this.load();
  };

  private async load(): Promise<void> {
    const key = this.key();
    if (!this.hass || !key || !this.near || this.asked === key || document.hidden) return;
    this.asked = key;
    try {
      const { path } = await this.hass.callWS<{ path: string }>({
        type: "auth/sign_path",
        path: this.photo ?? `/api/familiar_faces/visit/${encodeURIComponent(this.visit!.visit_id)}`,
        expires: SIGNED_FOR,
      });
      if (this.asked === key) this.address = path;
    } catch {
      if (this.asked === key) this.asked = undefined;
    }
  }

  protected override render(): unknown {
    const { visit } = this;
    if (this.address) {
      const said = visit ? text(this.hass, "visit.picture_of", { name: visit.name ?? "" }) : this.said;
      return html`<img
        src=${this.address}
        alt=${said}
        @error=${() => (this.address = undefined)}
      />`;
    }
    const letter = [...(visit?.name ?? this.name)][0];
    if (letter) return html`<div class="letter" aria-hidden="true">${letter.toLocaleUpperCase()}</div>`;
    return html`<div class="sign" aria-hidden="true">
      ${icon(visit?.kind === "stranger" ? mdiAccountQuestion : mdiImageOffOutline)}
    </div>`;
  }

  static override styles = css`
    :host {
      display: block;
      width: var(--ff-face, 52px);
      height: var(--ff-face, 52px);
      flex: none;
    }
    img,
    div {
      width: 100%;
      height: 100%;
      border-radius: 50%;
      box-sizing: border-box;
      object-fit: cover;
      display: grid;
      place-items: center;
    }
    :host([square]) img,
    :host([square]) div {
      border-radius: 12px;
    }
    .letter {
      font-size: calc(var(--ff-face, 52px) * 0.4);
      font-weight: 500;
      color: color-mix(in srgb, var(--primary-color) 62%, var(--primary-text-color));
      background: color-mix(in srgb, var(--primary-color) 14%, transparent);
    }
    .sign {
      color: var(--secondary-text-color);
      border: 1px dashed var(--secondary-text-color);
    }
    svg {
      width: 45%;
      height: 45%;
      fill: currentColor;
    }
  `;
}

define("familiar-faces-face", Face);
