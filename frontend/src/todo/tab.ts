// The tab To do: what waits for an administrator, each with one step.

import { LitElement, type PropertyValues, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { DOMAIN, type Hass, attempt, define, navigate } from "../ha";
import { icon, mdiAlertCircleOutline, mdiCheckCircle, mdiClipboardCheckOutline } from "../icons";
import type { Todo } from "../model";
import { shared } from "../styles";
import { type Key, text } from "../text";

/** Descriptions of repairs are Markdown: their first paragraph is shown as plain text. */
export function plain(markdown: string): string {
  const first = markdown.split("\n\n")[0] ?? "";
  return first.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[*`]/g, "");
}

export class TodoTab extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) todo: Todo[] = [];
  @state() private localize: Hass["localize"] | undefined;
  @state() private refused: string | undefined;
  private language: string | undefined;

  protected override willUpdate(_changed: PropertyValues): void {
    if (!this.hass || this.language === this.hass.language) return;
    this.language = this.hass.language;
    void this.hass.loadBackendTranslation("issues", DOMAIN).then((localize) => (this.localize = localize));
  }

  protected override render(): unknown {
    const { hass, todo } = this;
    if (!hass) return nothing;
    if (!todo.length) {
      return html`<div class="empty good card">
        ${icon(mdiCheckCircle)}
        <p>${text(hass, "todo.none")}</p>
        <p class="second">${text(hass, "todo.none_help")}</p>
      </div>`;
    }
    return html`<h2>${text(hass, "todo.needs_you")}</h2>
      ${this.refused
        ? html`<p class="bad" role="alert">${text(hass, "panel.refused", { reason: this.refused })}</p>`
        : nothing}
      <ul class="card">
        ${repeat(todo, (each) => each.id, (each) => (each.kind === "issue" ? this.issue(each) : this.step(each)))}
      </ul>`;
  }

  private issue(todo: Todo): unknown {
    const { hass, localize } = this;
    const said = (part: string) => localize?.(`component.${DOMAIN}.issues.${todo.key}.${part}`, todo.values) ?? "";
    return html`<li>
      <span class="sign">${icon(mdiAlertCircleOutline)}</span>
      <div>
        <h3>${said("title")}</h3>
        <p class="second">${plain(said("description"))}</p>
        <div class="actions">
          <button class="tonal" @click=${() => navigate("/config/repairs")}>${text(hass, "todo.open")}</button>
          <button class="link" @click=${() => this.putOff(todo)}>${text(hass, "todo.later")}</button>
        </div>
      </div>
    </li>`;
  }

  private step(todo: Todo): unknown {
    const { hass } = this;
    return html`<li>
      <span class="sign">${icon(mdiClipboardCheckOutline)}</span>
      <div>
        <h3>${text(hass, `todo.${todo.key}` as Key, todo.values)}</h3>
        <p class="second">${text(hass, `todo.${todo.key}_help` as Key)}</p>
        <div class="actions">
          <button class="tonal" @click=${() => navigate(`/config/integrations/integration/${DOMAIN}`)}>
            ${text(hass, `todo.${todo.key}_do` as Key)}
          </button>
        </div>
      </div>
    </li>`;
  }

  /** Home Assistant itself keeps which repairs are put off; they come back with its next release. */
  private async putOff(todo: Todo): Promise<void> {
    this.refused = await attempt(this.hass, () =>
      this.hass.callWS({ type: "repairs/ignore_issue", domain: DOMAIN, issue_id: todo.id, ignore: true }),
    );
  }

  static override styles = [
    shared,
    css`
      :host {
        display: block;
        max-width: 760px;
        margin: 0 auto;
        padding: 12px 16px 32px;
      }
      h2 {
        margin: 0;
        padding: 16px 4px 8px;
        font-size: 14px;
        line-height: 20px;
        font-weight: 500;
        color: var(--ff-muted);
      }
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        gap: 16px;
        padding: 16px;
      }
      li + li {
        border-top: 1px solid var(--ff-line);
      }
      h3 {
        margin: 0;
        font-size: 16px;
        line-height: 24px;
        font-weight: 500;
      }
      p {
        margin: 2px 0 0;
      }
      .sign {
        width: 40px;
        height: 40px;
        border-radius: 50%;
        display: grid;
        place-items: center;
        flex: none;
        background: color-mix(in srgb, var(--warning-color, #ffa600) 16%, transparent);
        color: var(--ff-warn);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        margin-top: 10px;
      }
      .bad {
        color: var(--ff-bad);
        padding: 4px;
      }
    `,
  ];
}

define("familiar-faces-todo", TodoTab);
