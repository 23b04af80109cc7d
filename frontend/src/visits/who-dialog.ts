// "It was…": who it was, of the people who agreed to that camera.

import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import "../face";
import { type Hass, define, fire } from "../ha";
import { icon, mdiCheck, mdiClose } from "../icons";
import type { Person, Visit } from "../model";
import { dialogs, shared } from "../styles";
import { text, time } from "../text";
import { where, who } from "./words";

export class WhoDialog extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) people: Person[] = [];
  @state() private visit: Visit | undefined;
  @state() private chosen: string | undefined;
  @state() private sought = "";
  @state() private learn = false;
  @state() private photo: string | undefined;
  @query("dialog") private dialog!: HTMLDialogElement;

  /** Ask who came in a visit; `visit-answered` tells the answer. `photo`: where its picture is, when it is not that of a visit. */
  async show(visit: Visit, photo?: string): Promise<void> {
    this.visit = visit;
    this.photo = photo;
    this.chosen = undefined;
    this.sought = "";
    this.learn = false;
    await this.updateComplete;
    this.dialog.showModal();
    this.renderRoot.querySelector<HTMLInputElement>("input[type=search]")?.focus();
  }

  protected override render(): unknown {
    const { hass, visit } = this;
    const words = this.sought.trim().toLocaleLowerCase();
    const others = this.people.filter((each) => each.person_id !== visit?.person_id);
    const found = others.filter((each) => each.name.toLocaleLowerCase().includes(words));
    const chosen = others.find((each) => each.person_id === this.chosen);
    return html`<dialog aria-labelledby="title" @close=${() => (this.visit = undefined)} @click=${this.outside}>
      ${visit
        ? html`<form method="dialog" @submit=${this.answer}>
            <header>
              <button
                type="button"
                class="icon-button"
                aria-label=${text(hass, "panel.close")}
                @click=${() => this.dialog.close()}
              >
                ${icon(mdiClose)}
              </button>
              <h2 id="title">${text(hass, "answer.who_was_it")}</h2>
            </header>
            <div class="visit">
              <familiar-faces-face .hass=${hass} .visit=${visit} .photo=${this.photo}></familiar-faces-face>
              <span>${who(hass, visit)} · ${where(hass, visit)} · ${time(hass, visit.at)}</span>
            </div>
            <input
              class="field"
              type="search"
              autocomplete="off"
              aria-label=${text(hass, "answer.search")}
              placeholder=${text(hass, "answer.search")}
              .value=${this.sought}
              @input=${(event: InputEvent) => (this.sought = (event.target as HTMLInputElement).value)}
            />
            <div class="people" role="radiogroup" aria-labelledby="title">
              ${found.map((each) => this.person(each, visit))}
              ${found.length ? nothing : html`<p class="second">${text(hass, "answer.nobody_found")}</p>`}
            </div>
            ${visit.picture === "shown" || visit.picture === "held"
              ? html`<label class="check learn">
                  <input
                    type="checkbox"
                    .checked=${this.learn}
                    @change=${(event: Event) => (this.learn = (event.target as HTMLInputElement).checked)}
                  />
                  ${text(hass, "answer.learn")}
                </label>`
              : nothing}
            <footer>
              <button type="button" class="link" @click=${() => this.dialog.close()}>
                ${text(hass, "panel.cancel")}
              </button>
              <button class="tonal" ?disabled=${!chosen}>
                ${icon(mdiCheck)}${chosen
                  ? text(hass, "answer.confirm", { name: chosen.name })
                  : text(hass, "answer.who_was_it")}
              </button>
            </footer>
          </form>`
        : nothing}
    </dialog>`;
  }

  private person(person: Person, visit: Visit): unknown {
    const agreed = !visit.camera_id || (person.cameras?.includes(visit.camera_id) ?? false);
    return html`<label class=${agreed ? "check person" : "check person not"}>
      <input
        type="radio"
        name="who"
        .checked=${this.chosen === person.person_id}
        ?disabled=${!agreed}
        @change=${() => (this.chosen = person.person_id)}
      />
      <span>
        <span class="name">${person.name}</span>
        ${agreed ? nothing : html`<span class="second">${text(this.hass, "answer.not_agreed")}</span>`}
      </span>
    </label>`;
  }

  private answer(event: Event): void {
    if (!this.visit || !this.chosen) {
      event.preventDefault();
      return;
    }
    fire(this, "visit-answered", { visit: this.visit, person_id: this.chosen, learn: this.learn });
  }

  private outside(event: MouseEvent): void {
    if (event.target === this.dialog) this.dialog.close();
  }

  static override styles = [
    shared,
    dialogs,
    css`
      /* The people scroll, and what is around them stays. */
      form {
        max-height: inherit;
      }
      .visit {
        display: flex;
        align-items: center;
        gap: 14px;
        font-weight: 500;
      }
      .people {
        overflow: auto;
        min-height: 60px;
      }
      .person {
        min-height: 48px;
        padding: 0 8px;
        border-radius: 8px;
        cursor: pointer;
      }
      .person:hover:not(.not) {
        background: var(--ff-soft);
      }
      .person.not {
        cursor: default;
      }
      .person .second,
      .person .name {
        display: block;
      }
      .person.not .name {
        color: var(--ff-muted);
      }
      .learn {
        padding: 8px;
        border-top: 1px solid var(--ff-line);
      }
    `,
  ];
}

define("familiar-faces-who", WhoDialog);
