// The panel: its header, its tabs, and what is to be said on each of them.

import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import type { VisitFeed } from "./feed";
import { type Hass, type Route, define, fire, navigate } from "./ha";
import {
  icon,
  mdiAlertCircleOutline,
  mdiCogOutline,
  mdiLanDisconnect,
  mdiMenu,
} from "./icons";
import { shared } from "./styles";
import { TABS, TODO, type Tab, VISITS } from "./tabs";
import { text } from "./text";
import "./visits/tab";

export class Panel extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ type: Boolean, reflect: true }) narrow = false;
  @property({ attribute: false }) route: Route | undefined;
  @state() private feed: VisitFeed | undefined;
  @query("main") private main!: HTMLElement;
  /** The tab that is shown first. */
  private first: string | undefined;
  private shownTab: string | undefined;
  /** The tab that stays as long as somebody is in it, such as Me with the receipt of who said no. */
  private held: string | undefined;

  protected override firstUpdated(): void {
    this.requestUpdate();
  }

  protected override updated(): void {
    // There may be more tabs than a phone has room for.
    const current = this.tab().id;
    if (current === this.shownTab) return;
    this.shownTab = current;
    if (this.held && this.held !== current) {
      this.held = undefined;
      this.requestUpdate();
    }
    this.renderRoot.querySelector("nav a[aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  protected override render(): unknown {
    const { hass } = this;
    if (!hass) return nothing;
    const tab = this.tab();
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
        ${this.narrow ? nothing : this.tabs()}
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
      <main tabindex="-1" @person-forgetting=${() => (this.held = this.tab().id)}>
        ${this.banner()}
        ${tab.render?.(hass, this.feed, { narrow: this.narrow, rest: this.rest() }) ?? nothing}
        <familiar-faces-visits
          ?hidden=${tab.id !== VISITS}
          .hass=${hass}
          .person=${this.named() === VISITS ? this.rest() : undefined}
          .scroller=${this.main}
          ?narrow=${this.narrow}
          @feed-changed=${(event: CustomEvent<VisitFeed>) => {
            this.feed = event.detail;
            this.requestUpdate();
          }}
        ></familiar-faces-visits>
      </main>
      ${this.narrow ? this.tabs() : nothing}
    `;
  }

  /**
   * What an address names that is not there, or not for this user, is Visits. One that names nothing is To do until
   * a first name was said; it stays what it was while somebody looks.
   */
  private tab(): Tab {
    const path = this.named();
    // Decided again each time that somebody comes.
    if (path) this.first = undefined;
    else if (this.feed?.now) this.first ??= this.feed.now.setup ? TODO : VISITS;
    const named = path || this.first;
    return this.shownTabs().find((each) => each.id === named) ?? TABS[0]!;
  }

  private named(): string | undefined {
    return this.route?.path.split("/")[1];
  }

  private rest(): string | undefined {
    const rest = this.route?.path.split("/")[2];
    return rest ? decodeURIComponent(rest) : undefined;
  }

  private shownTabs(): Tab[] {
    const now = this.feed?.now;
    return now ? TABS.filter((each) => each.id === this.held || each.shown(now)) : [];
  }

  private tabs(): unknown {
    const { hass } = this;
    const now = this.feed?.now;
    const tabs = this.shownTabs();
    // One tab is nothing to choose from.
    if (!now || tabs.length < 2) return nothing;
    const current = this.tab();
    return html`<nav class=${tabs.length > 5 ? "many" : ""} aria-label=${text(hass, "panel.sections")}>
      ${tabs.map((each) => {
        const count = each.count?.(now) ?? 0;
        return html`<a
          href="/familiar-faces/${each.id}"
          aria-current=${each === current ? "page" : "false"}
          @click=${(event: MouseEvent) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            navigate(`/familiar-faces/${each.id}`);
          }}
        >
          ${this.narrow ? icon(each.icon) : nothing}<span>${text(hass, each.name)}</span>
          ${count ? html`<span class="count">${count}</span>` : nothing}
        </a>`;
      })}
    </nav>`;
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
      header .icon-button:last-child:not(:first-child) {
        margin-inline-start: auto;
      }
      header svg {
        width: 24px;
        height: 24px;
      }
      h1 {
        margin: 0;
        padding-inline: 12px;
        font-size: 20px;
        line-height: 28px;
        font-weight: 400;
      }
      :host([narrow]) h1 {
        padding-inline-start: 4px;
      }
      nav {
        display: flex;
        align-self: stretch;
      }
      nav a {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 0 18px;
        color: inherit;
        text-decoration: none;
        font-weight: 500;
        border-bottom: 2px solid transparent;
        border-top: 2px solid transparent;
      }
      nav a[aria-current="page"] {
        color: var(--ff-link);
        border-bottom-color: var(--primary-color);
      }
      nav a:focus-visible {
        outline-offset: -4px;
      }
      .count {
        padding: 0 7px;
        border-radius: 10px;
        font-size: 12px;
        line-height: 20px;
        color: var(--ff-link);
        background: color-mix(in srgb, var(--primary-color) 14%, var(--card-background-color));
      }
      :host([narrow]) nav {
        overflow-x: auto;
        height: 56px;
        flex: none;
        background: var(--card-background-color);
        border-top: 1px solid var(--ff-line);
      }
      :host([narrow]) nav a {
        flex: 1 0 auto;
        box-sizing: border-box;
        min-width: 44px;
        padding: 0 3px;
        white-space: nowrap;
        flex-direction: column;
        justify-content: center;
        gap: 2px;
        font-size: 12px;
        line-height: 16px;
        position: relative;
        border: 0;
      }
      :host([narrow]) .many a {
        font-size: 11px;
      }
      :host([narrow]) .count {
        position: absolute;
        top: 2px;
        inset-inline-start: calc(50% + 8px);
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
