// One visit: face, name, time, camera, how sure, and the answers to it.

import { LitElement, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import "../face";
import { type Hass, define, fire } from "../ha";
import {
  icon,
  mdiAlertCircleOutline,
  mdiBellOff,
  mdiBellOffOutline,
  mdiCheck,
  mdiCheckCircle,
  mdiChevronDown,
  mdiChevronUp,
  mdiHelpCircleOutline,
  mdiImageOffOutline,
  mdiTimerSandEmpty,
} from "../icons";
import { Loaded } from "../loaded";
import type { Details, Now, Person, Visit } from "../model";
import { shared } from "../styles";
import { date, moment, text, time } from "../text";
import { photoPath } from "../people/model";
import { answerable, exception, label, suggested, sure, where, who } from "./words";

export type RowAction = "right" | "other" | "nobody" | "is" | "undo" | "mute";

export class VisitRow extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) visit!: Visit;
  @property({ attribute: false }) people: Person[] = [];
  @property({ attribute: false }) administrator = false;
  /** For how many minutes somebody without a name can still be given one. */
  @property({ attribute: false }) minutes = 0;
  @property({ attribute: false }) failed = false;
  /** Where the user may mute. */
  @property({ attribute: false }) mutes: Now["mutes"] = null;
  /** Until when this person is muted so, or this camera where nobody has a name. */
  @property({ attribute: false }) muted: string | undefined;
  @property({ type: Boolean, reflect: true }) narrow = false;
  @state() private open = false;
  private readonly read = new Loaded<Details>(() => this.requestUpdate());

  override focus(): void {
    this.renderRoot.querySelector("article")?.focus();
  }

  protected override render(): unknown {
    const { hass, visit } = this;
    const word = sure(hass, visit);
    const missing = exception(hass, visit);
    const name = who(hass, visit);
    return html`<article tabindex="0" aria-label=${label(hass, visit)} @keydown=${this.key}>
      <familiar-faces-face .hass=${hass} .visit=${visit}></familiar-faces-face>
      <div class="words">
        <div class="first">
          <span class="name">${name}</span>
          ${word ? html`<span class="tag ${visit.sure}">${word}</span>` : nothing}
        </div>
        <div class="second">${time(hass, visit.at)} · ${where(hass, visit)}</div>
        ${missing
          ? html`<div class="second line">
              ${icon(visit.kind === "unclear" ? mdiHelpCircleOutline : mdiImageOffOutline)}<span>${missing}</span>
            </div>`
          : nothing}
        ${this.administrator && this.minutes
          ? html`<div class="second line">
              ${icon(mdiTimerSandEmpty)}<span>${text(hass, "visit.held", { minutes: this.minutes })}</span>
            </div>`
          : nothing}
        ${this.failed
          ? html`<div class="second line bad" role="alert">
              ${icon(mdiAlertCircleOutline)}<span>${text(hass, "answer.not_saved")}</span>
            </div>`
          : nothing}
      </div>
      <div class="answers">${this.answers(name)}</div>
      <div class="side">${this.mutable() && !visit.answer ? this.mute() : nothing} ${this.more(name)}</div>
      ${this.suggestion()} ${this.open ? this.details() : nothing}
    </article>`;
  }

  private answers(name: string): unknown {
    const { hass, visit } = this;
    if (visit.answer) return this.said();
    if (!answerable(visit)) return nothing;
    return html`<div class="group" role="group" aria-label=${text(hass, "answer.group", { name })}>
      ${visit.kind === "familiar"
        ? html`<button @click=${() => this.act("right")}>${icon(mdiCheck)}${text(hass, "answer.right")}</button>`
        : nothing}
      ${visit.answers === "any"
        ? html`<button @click=${() => this.act("other")}>${text(hass, "answer.it_was")}</button>
            <button @click=${() => this.act("nobody")}>${text(hass, "answer.nobody")}</button>`
        : html`<button @click=${() => this.act("nobody")}>${text(hass, "answer.not_me")}</button>`}
    </div>`;
  }

  /** "Is this Anna?": both faces side by side, as far as there are pictures that may be shown. */
  private suggestion(): unknown {
    const { hass, visit } = this;
    const likely = suggested(visit);
    const [first, second] = likely;
    if (!first) return nothing;
    const question = second
      ? text(hass, "answer.is_either", { name: first.name, other: second.name })
      : text(hass, "answer.is_this", { name: first.name });
    return html`<div class="ask" role="group" aria-label=${question}>
      ${visit.picture === "held"
        ? html`<figure>
            <familiar-faces-face square .hass=${hass} .visit=${visit}></familiar-faces-face>
            <figcaption class="second">${text(hass, "answer.the_visitor")}</figcaption>
          </figure>`
        : nothing}
      ${likely.map(
        (each) => html`<figure>
          <familiar-faces-face
            square
            .hass=${hass}
            .name=${each.name}
            .photo=${each.face ? photoPath(each.person_id, each.face) : undefined}
          ></familiar-faces-face>
          <figcaption class="second">${each.name}</figcaption>
        </figure>`,
      )}
      <div class="words">
        <strong>${question}</strong>
        <div class="group">
          ${likely.map(
            (each) => html`<button @click=${() => this.act("is", each.person_id)}>
              ${icon(mdiCheck)}${text(hass, "answer.yes_it_is", { name: each.name })}
            </button>`,
          )}
          <button @click=${() => this.act("nobody")}>${text(hass, "answer.no_it_is_not")}</button>
        </div>
      </div>
    </div>`;
  }

  /** Whether there is something to mute, and somebody who may. */
  private mutable(): boolean {
    return this.mutes !== null && (this.visit.person_id ?? this.visit.camera_id) !== null;
  }

  private mute(): unknown {
    const { hass, visit } = this;
    const what = visit.name ?? where(hass, visit);
    const begin = this.mutes === "own" ? "answer.mute_own" : "answer.mute";
    const words = text(hass, this.muted ? "answer.unmute" : begin, { what });
    return html`<button class="icon-button" aria-label=${words} title=${words} @click=${() => this.act("mute")}>
      ${icon(this.muted ? mdiBellOff : mdiBellOffOutline)}
    </button>`;
  }

  private said(): unknown {
    const { hass, visit } = this;
    const { correct, person_id } = visit.answer!;
    const other = this.people.find((each) => each.person_id === person_id)?.name;
    const words = correct
      ? text(hass, "answer.said_right")
      : other !== undefined
        ? text(hass, "answer.said_other", { name: other })
        : text(hass, "answer.said_nobody");
    return html`<span class="said" role="status">${icon(mdiCheckCircle)}${words}</span>
      <button class="link" @click=${() => this.act("undo")}>${text(hass, "answer.undo")}</button>`;
  }

  private more(name: string): unknown {
    const { hass, visit } = this;
    const words = text(hass, "visit.open", { who: name, camera: where(hass, visit), time: time(hass, visit.at) });
    return html`<button
      class="icon-button"
      aria-label=${words}
      title=${words}
      aria-expanded=${this.open}
      @click=${this.toggle}
    >
      ${icon(this.open ? mdiChevronUp : mdiChevronDown)}
    </button>`;
  }

  private readonly toggle = (): void => {
    this.open = !this.open;
    const { visit } = this;
    if (!this.open || visit.kind !== "familiar") return;
    void this.read.load(this.hass, { type: "familiar_faces/visits/details", visit_id: visit.visit_id });
  };

  private details(): unknown {
    const { hass, visit } = this;
    const fact = (name: string, value: string) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
    const percent = visit.confidence === null ? undefined : `${(visit.confidence * 100).toFixed(1)} %`;
    const { value } = this.read;
    return html`<div class="details">
      ${visit.picture === "shown" || visit.picture === "held"
        ? html`<figure>
            <familiar-faces-face class="large" square .hass=${hass} .visit=${visit}></familiar-faces-face>
            ${value?.matched ? html`<figcaption class="second">${text(hass, "visit.this_visit")}</figcaption>` : nothing}
          </figure>`
        : nothing}
      ${value?.matched && visit.person_id
        ? html`<figure>
            <familiar-faces-face
              class="large"
              square
              .hass=${hass}
              .name=${visit.name ?? ""}
              .said=${text(hass, "visit.matched")}
              .photo=${photoPath(visit.person_id, value.matched)}
            ></familiar-faces-face>
            <figcaption class="second">${text(hass, "visit.matched")}</figcaption>
          </figure>`
        : nothing}
      <dl>
        ${fact(text(hass, "visit.camera"), where(hass, visit))}
        ${fact(text(hass, "visit.began"), moment(hass, visit.at))}
        ${visit.kind === "familiar" ? fact(text(hass, "visit.ended"), moment(hass, visit.until)) : nothing}
        ${percent && visit.sure !== "said" ? fact(text(hass, "visit.confidence"), percent) : nothing}
        ${value && visit.sure !== "said" ? fact(text(hass, "visit.frames"), String(value.frames)) : nothing}
        ${value ? fact(text(hass, "visit.visit_until"), date(hass, value.visit_until)) : nothing}
        ${value?.picture_until ? fact(text(hass, "visit.picture_until"), date(hass, value.picture_until)) : nothing}
        ${this.read.error ? html`<p class="second bad" role="alert">${this.read.error}</p>` : nothing}
      </dl>
    </div>`;
  }

  private act(action: RowAction, person_id?: string): void {
    fire(this, "visit-action", { action, visit: this.visit, person_id });
  }

  private key(event: KeyboardEvent): void {
    // Keys of buttons inside are theirs.
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const may = answerable(this.visit);
    const any = may && this.visit.answers === "any";
    const right = may && this.visit.kind === "familiar" ? { r: () => this.act("right") } : {};
    const actions: Record<string, () => void> = {
      Enter: this.toggle,
      ...(this.open ? { Escape: this.toggle } : {}),
      ...right,
      ...(may ? { n: () => this.act("nobody") } : {}),
      ...(any ? { w: () => this.act("other") } : {}),
      ...(this.mutable() ? { m: () => this.act("mute") } : {}),
      ...(this.visit.answer ? { z: () => this.act("undo") } : {}),
    };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      article {
        display: grid;
        grid-template-columns: auto 1fr auto auto;
        align-items: center;
        gap: 4px 14px;
        padding: 12px 18px;
        min-height: 54px;
      }
      article:focus-visible {
        outline-offset: -2px;
        border-radius: 12px;
      }
      .words {
        min-width: 0;
      }
      .first {
        display: flex;
        align-items: center;
        gap: 8px;
        font-size: 16px;
        line-height: 24px;
        font-weight: 500;
      }
      .name {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .line {
        display: flex;
        gap: 6px;
        align-items: flex-start;
      }
      .line svg {
        width: 16px;
        height: 16px;
        margin-top: 2px;
      }
      .bad {
        color: var(--ff-bad);
      }
      .answers,
      .side {
        display: flex;
        align-items: center;
        gap: 2px;
      }
      .group {
        display: inline-flex;
        border: 1px solid var(--ff-line);
        border-radius: 18px;
        overflow: hidden;
      }
      .group button {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        min-height: 34px;
        padding: 0 12px;
        font-weight: 500;
        font-size: 13px;
      }
      .group button + button {
        border-inline-start: 1px solid var(--ff-line);
      }
      .group button:hover {
        background: var(--ff-soft);
      }
      .group button:focus-visible {
        outline-offset: -3px;
        border-radius: 16px;
      }
      .group svg {
        width: 18px;
        height: 18px;
        color: var(--ff-good);
      }
      .said {
        display: inline-flex;
        gap: 6px;
        align-items: center;
        color: var(--ff-good);
      }
      .details {
        grid-column: 1 / -1;
        display: flex;
        gap: 18px;
        padding: 8px 0 4px 66px;
        align-items: flex-start;
        flex-wrap: wrap;
      }
      .ask {
        grid-column: 1 / -1;
        --ff-face: 96px;
        display: flex;
        flex-wrap: wrap;
        gap: 12px;
        align-items: center;
        margin-top: 8px;
        padding: 12px;
        border-radius: 12px;
        background: color-mix(in srgb, var(--primary-color) 8%, transparent);
      }
      .ask figure {
        margin: 0;
        text-align: center;
      }
      .ask strong {
        display: block;
        margin-bottom: 8px;
        font-weight: 500;
      }
      .large {
        --ff-face: 112px;
      }
      .details figure {
        margin: 0;
        width: 112px;
      }
      dl {
        margin: 0;
        display: grid;
        gap: 4px;
      }
      dl div {
        display: flex;
        gap: 8px;
        flex-wrap: wrap;
      }
      dt {
        color: var(--ff-muted);
        min-width: 110px;
      }
      dd {
        margin: 0;
      }
      :host([narrow]) article {
        grid-template-columns: auto 1fr auto;
        padding: 12px 8px 12px 12px;
      }
      :host([narrow]) .side {
        grid-column: 3;
        grid-row: 1;
        align-self: start;
      }
      :host([narrow]) .answers {
        grid-column: 1 / -1;
        grid-row: 2;
        justify-content: flex-end;
        padding-inline-end: 4px;
      }
      :host([narrow]) .answers > * {
        margin-top: 4px;
      }
      :host([narrow]) article > familiar-faces-face {
        grid-area: 1 / 1;
      }
      :host([narrow]) .words {
        grid-area: 1 / 2;
      }
      :host([narrow]) .group button {
        min-height: 38px;
        padding: 0 10px;
      }
      :host([narrow]) .details {
        padding-inline-start: 0;
      }
    `,
  ];
}

define("familiar-faces-visit", VisitRow);
