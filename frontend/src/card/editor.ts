// The visual editor of the card: a title, the cameras, and whether there is a mute button.

import { LitElement, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { VisitFeed } from "../feed";
import { type Hass, define, fire } from "../ha";
import { shared } from "../styles";
import { text } from "../text";
import { type CardConfig, checked } from "./card";

export class CardEditor extends LitElement {
  @property({ attribute: false }) hass: Hass | undefined;
  @state() private config: CardConfig | undefined;
  private readonly feed = new VisitFeed(() => this.requestUpdate());
  private connection: unknown;

  setConfig(config: CardConfig): void {
    this.config = checked(config);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.feed.stop();
    this.connection = undefined;
  }

  protected override willUpdate(): void {
    if (this.hass && this.isConnected && this.connection !== this.hass.connection) {
      this.connection = this.hass.connection;
      this.feed.start(this.hass, {}, 0);
    }
  }

  protected override render(): unknown {
    const { hass, config } = this;
    if (!hass || !config) return nothing;
    const chosen = config.cameras ?? [];
    return html`<div class="form">
      <label class="text">
        <span>${text(hass, "card.title")}</span>
        <input
          type="text"
          .value=${config.title ?? ""}
          placeholder=${text(hass, "card.name")}
          @input=${(event: InputEvent) => this.change({ title: (event.target as HTMLInputElement).value || undefined })}
        />
      </label>
      <fieldset>
        <legend>${text(hass, "card.cameras")}</legend>
        ${(this.feed.now?.cameras ?? []).map(
          (each) => html`<label>
            <input
              type="checkbox"
              .checked=${chosen.includes(each.camera_id)}
              @change=${(event: Event) => {
                const rest = chosen.filter((other) => other !== each.camera_id);
                const cameras = (event.target as HTMLInputElement).checked ? [...rest, each.camera_id] : rest;
                this.change({ cameras: cameras.length ? cameras : undefined });
              }}
            />
            ${each.name}
          </label>`,
        )}
        <p class="second">${text(hass, "card.cameras_help")}</p>
      </fieldset>
      <label>
        <input
          type="checkbox"
          .checked=${config.mute !== false}
          @change=${(event: Event) =>
            this.change({ mute: (event.target as HTMLInputElement).checked ? undefined : false })}
        />
        ${text(hass, "card.show_mute")}
      </label>
    </div>`;
  }

  private change(change: { [K in keyof CardConfig]?: CardConfig[K] | undefined }): void {
    const all = Object.entries({ ...this.config, ...change }).filter(([, value]) => value !== undefined);
    this.config = Object.fromEntries(all) as unknown as CardConfig;
    fire(this, "config-changed", { config: this.config });
  }

  static override styles = [
    shared,
    css`
      .form {
        display: grid;
        gap: 16px;
      }
      .text {
        display: grid;
        gap: 4px;
      }
      input[type="text"] {
        padding: 12px;
        border: 1px solid var(--ff-muted);
        border-radius: 8px;
        background: transparent;
      }
      input::placeholder {
        color: var(--ff-muted);
      }
      fieldset {
        border: 1px solid var(--ff-line);
        border-radius: 8px;
        padding: 8px 12px;
        margin: 0;
      }
      fieldset label,
      .form > label:last-child {
        display: flex;
        align-items: center;
        gap: 12px;
        min-height: 40px;
      }
      input[type="checkbox"] {
        width: 20px;
        height: 20px;
        accent-color: var(--primary-color);
        margin: 0;
      }
      p {
        margin: 4px 0;
      }
    `,
  ];
}

define("familiar-faces-card-editor", CardEditor);
