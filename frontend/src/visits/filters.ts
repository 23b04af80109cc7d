// Which visits are listed: a day, a person, a camera, a kind. The browser's own controls, which every reader knows.

import { LitElement, css, html, nothing } from "lit";
import { property } from "lit/decorators.js";
import { type Hass, define, fire } from "../ha";
import { icon, mdiChevronLeft, mdiChevronRight, mdiClose } from "../icons";
import type { Kind, Wanted } from "../model";
import { shared } from "../styles";
import { beginning, day, dayName, later, text } from "../text";

export interface Chosen {
  day?: string;
  person?: string;
  camera?: string;
  kind?: Kind;
}

export function wanted(hass: Hass, chosen: Chosen): Wanted {
  return {
    ...(chosen.person ? { people: [chosen.person] } : {}),
    ...(chosen.camera ? { cameras: [chosen.camera] } : {}),
    ...(chosen.kind ? { kinds: [chosen.kind] } : {}),
    ...(chosen.day ? { since: beginning(hass, chosen.day), before: beginning(hass, later(chosen.day, 1)) } : {}),
  };
}

interface Option {
  id: string;
  name: string;
}

export class Filters extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) chosen: Chosen = {};
  @property({ attribute: false }) people: Option[] = [];
  @property({ attribute: false }) cameras: Option[] = [];

  override focus(): void {
    this.renderRoot.querySelector("select")?.focus();
  }

  protected override render(): unknown {
    const { hass, chosen } = this;
    const today = day(hass, Date.now());
    const kinds: Option[] = [
      { id: "familiar", name: text(hass, "filter.familiar") },
      { id: "stranger", name: text(hass, "visit.stranger") },
      { id: "unclear", name: text(hass, "visit.unclear") },
    ];
    return html`<div class="filters" role="group" aria-label=${text(hass, "filter.group")}>
      <div class="chip day">
        <button
          class="icon-button"
          aria-label=${text(hass, "filter.earlier")}
          title=${text(hass, "filter.earlier")}
          @click=${() => this.choose({ day: later(chosen.day ?? today, -1) })}
        >
          ${icon(mdiChevronLeft)}
        </button>
        <button class="name" @click=${this.pick}>
          ${chosen.day ? dayName(hass, chosen.day) : text(hass, "filter.any_day")}
          <span class="visually-hidden">(${text(hass, "filter.day")})</span>
        </button>
        <input
          type="date"
          tabindex="-1"
          aria-hidden="true"
          max=${today}
          .value=${chosen.day ?? ""}
          @change=${(event: Event) => this.choose({ day: (event.target as HTMLInputElement).value })}
        />
        <button
          class="icon-button"
          aria-label=${text(hass, "filter.later")}
          title=${text(hass, "filter.later")}
          ?disabled=${!chosen.day || chosen.day >= today}
          @click=${() => this.choose({ day: later(chosen.day!, 1) })}
        >
          ${icon(mdiChevronRight)}
        </button>
      </div>
      ${this.select("person", text(hass, "filter.person"), this.people)}
      ${this.select("camera", text(hass, "filter.camera"), this.cameras)}
      ${this.select("kind", text(hass, "filter.kind"), kinds)}
      ${Object.values(chosen).some(Boolean)
        ? html`<button class="link clear" @click=${() => fire(this, "filters-chosen", {})}>
            ${icon(mdiClose)}${text(hass, "filter.clear")}
          </button>`
        : nothing}
    </div>`;
  }

  private pick(): void {
    this.renderRoot.querySelector<HTMLInputElement>("input[type=date]")?.showPicker();
  }

  private select(name: "person" | "camera" | "kind", label: string, options: Option[]): unknown {
    const chosen = this.chosen[name] ?? "";
    return html`<select
      class=${chosen ? "chip on" : "chip"}
      name=${name}
      aria-label=${label}
      @change=${(event: Event) => this.choose({ [name]: (event.target as HTMLSelectElement).value })}
    >
      <option value="" ?selected=${!chosen}>${label}: ${text(this.hass, "filter.all")}</option>
      ${options.map((each) => html`<option value=${each.id} ?selected=${each.id === chosen}>${each.name}</option>`)}
    </select>`;
  }

  private choose(change: { [K in keyof Chosen]?: string }): void {
    const all = { ...this.chosen, ...change };
    fire(this, "filters-chosen", Object.fromEntries(Object.entries(all).filter(([, value]) => value)));
  }

  static override styles = [
    shared,
    css`
      .filters {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .chip {
        box-sizing: border-box;
        height: 36px;
        border: 1px solid var(--ff-line);
        border-radius: 8px;
        background: var(--card-background-color);
        color: var(--primary-text-color);
        font-weight: 500;
        font-size: 13px;
        max-width: 200px;
      }
      select.chip {
        padding: 0 8px;
      }
      .chip.on {
        border-color: var(--primary-color);
        background: color-mix(in srgb, var(--primary-color) 12%, var(--card-background-color));
      }
      .day {
        display: flex;
        align-items: center;
      }
      .day .icon-button {
        height: 34px;
        width: 34px;
      }
      .day .name {
        height: 34px;
        padding: 0 4px;
        font-weight: 500;
        min-width: 72px;
        white-space: nowrap;
      }
      .day {
        position: relative;
      }
      .day input {
        position: absolute;
        inset: auto auto 0 40px;
        width: 1px;
        height: 1px;
        opacity: 0;
        border: 0;
        padding: 0;
        pointer-events: none;
      }
      .clear {
        display: inline-flex;
        align-items: center;
        gap: 4px;
      }
      @media (max-width: 600px) {
        select.chip {
          flex: 1 1 90px;
          min-width: 0;
        }
        .day {
          max-width: none;
          flex: 1 1 100%;
          justify-content: space-between;
        }
      }
    `,
  ];
}

define("familiar-faces-filters", Filters);
