// The panel: its header, its tabs, and what is to be said on each of them.

import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import type { VisitFeed } from "./feed";
import { type Hass, type Route, define, fire, navigate } from "./ha";
import { icon, mdiAlertCircleOutline, mdiCogOutline, mdiLanDisconnect, mdiMenu } from "./icons";
import { shared } from "./styles";
import { text } from "./text";
import "./visits/tab";

export class Panel extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ type: Boolean, reflect: true }) narrow = false;
  @property({ attribute: false }) route: Route | undefined;
  @state() private feed: VisitFeed | undefined;
  @query("main") private main!: HTMLElement;

  protected override firstUpdated(): void {
    this.requestUpdate();
  }

  protected override render(): unknown {
    const { hass } = this;
    if (!hass) return nothing;
    const menu = text(hass, "panel.menu");
    const settings = text(hass, "panel.integration");
    return html`
      <header>
        ${this.narrow
          ? html`<button class="icon-button" aria-label=${menu} title=${menu} @click=${() => fire(this, "hass-toggle-menu")}>
              ${icon(mdiMenu)}
            </button>`
          : nothing}
        <h1>Familiar Faces</h1>
        ${hass.user?.is_admin
          ? html`<button
              class="icon-button"
              aria-label=${settings}
              title=${settings}
              @click=${() => navigate("/config/integrations/integration/familiar_faces")}
            >
              ${icon(mdiCogOutline)}
            </button>`
          : nothing}
      </header>
      <main tabindex="-1">
        ${this.banner()}
        <familiar-faces-visits
          .hass=${hass}
          .scroller=${this.main}
          ?narrow=${this.narrow}
          @feed-changed=${(event: CustomEvent<VisitFeed>) => {
            this.feed = event.detail;
            this.requestUpdate();
          }}
        ></familiar-faces-visits>
      </main>
    `;
  }

  private banner(): unknown {
    const { hass, feed } = this;
    if (!hass.connected) return this.say("warn", mdiLanDisconnect, text(hass, "panel.offline"));
    if (feed?.status === "stopped") return this.say("warn", mdiLanDisconnect, text(hass, "panel.stopped"));
    if (feed?.status === "failed") {
      return this.say("bad", mdiAlertCircleOutline, text(hass, "panel.failed", { seconds: feed.again }));
    }
    if (feed?.now?.engine === "down") {
      return html`<div class="banner bad" role="alert">
        ${icon(mdiAlertCircleOutline)}
        <div>
          <strong>${text(hass, "panel.engine_down")}</strong>
          <div>${text(hass, "panel.engine_down_help")} ${feed.now.engine_error ?? ""}</div>
        </div>
        ${feed.now.administrator
          ? html`<button class="link" @click=${() => navigate("/config/repairs")}>${text(hass, "panel.repairs")}</button>`
          : nothing}
      </div>`;
    }
    return nothing;
  }

  private say(kind: string, path: string, words: string): unknown {
    return html`<div class="banner ${kind}" role="alert">${icon(path)}<div>${words}</div></div>`;
  }

  static override styles = [
    shared,
    css`
      :host {
        display: flex;
        flex-direction: column;
        height: calc(100dvh - var(--safe-area-inset-top, 0px) - var(--safe-area-inset-bottom, 0px));
        background: var(--primary-background-color);
      }
      header {
        display: flex;
        align-items: center;
        gap: 8px;
        box-sizing: border-box;
        height: var(--header-height, 56px);
        padding: 0 12px;
        flex: none;
        color: var(--app-header-text-color, var(--primary-text-color));
        background: var(--app-header-background-color, var(--card-background-color));
        border-bottom: var(--app-header-border-bottom, 1px solid var(--ff-line));
      }
      header .icon-button {
        color: inherit;
      }
      header svg {
        width: 24px;
        height: 24px;
      }
      h1 {
        flex: 1;
        margin: 0;
        padding-inline-start: 12px;
        font-size: 20px;
        line-height: 28px;
        font-weight: 400;
      }
      :host([narrow]) h1 {
        padding-inline-start: 4px;
      }
      main {
        flex: 1;
        min-height: 0;
        overflow: auto;
        outline: none;
      }
      .banner {
        display: flex;
        align-items: center;
        gap: 12px;
        padding: 12px 24px;
      }
      .banner .link {
        margin-inline-start: auto;
      }
      .banner.bad {
        color: var(--ff-bad);
        background: color-mix(in srgb, var(--error-color, #db4437) 12%, var(--primary-background-color));
      }
      .banner.warn {
        color: var(--ff-warn);
        background: color-mix(in srgb, var(--warning-color, #ffa600) 14%, var(--primary-background-color));
      }
    `,
  ];
}

define("familiar-faces-panel", Panel);
