// The tab Visits: what happens now, and who came, newest first.

import { LitElement, type PropertyValues, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { VisitFeed } from "../feed";
import { type Hass, attempt, define, navigate } from "../ha";
import { icon, mdiAlertCircleOutline, mdiDoor } from "../icons";
import type { Visit } from "../model";
import { shared } from "../styles";
import { day, dayName, text, time } from "../text";
import { type Chosen, wanted } from "./filters";
import "./filters";
import { tile } from "./now";
import "./row";
import type { RowAction, VisitRow } from "./row";
import "./who-dialog";
import type { WhoDialog } from "./who-dialog";
import { mute } from "./mute";
import { held, where } from "./words";

const AN_HOUR = 3600;

export class VisitsTab extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ type: Boolean, reflect: true }) narrow = false;
  /** Whose visits are wanted, from the address. */
  @property({ attribute: false }) person: string | undefined;
  /** The element that scrolls. */
  @property({ attribute: false }) scroller: HTMLElement | undefined;
  @state() private chosen: Chosen = {};
  @state() private refused: string | undefined;
  @state() private notice: string | undefined;
  @query("familiar-faces-who") private dialog!: WhoDialog;
  @query("#end") private end!: HTMLElement;

  private readonly feed = new VisitFeed(
    () => {
      this.requestUpdate();
      this.dispatchEvent(new CustomEvent("feed-changed", { detail: this.feed, bubbles: true, composed: true }));
    },
    () => (this.scroller?.scrollTop ?? 0) > 160,
  );
  private connection: unknown;
  private minutes: ReturnType<typeof setInterval> | undefined;
  private observer: IntersectionObserver | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keydown", this.key);
    // Minutes that are left become fewer, and mutes end.
    this.minutes = setInterval(() => this.requestUpdate(), 20_000);
    this.observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((each) => each.isIntersecting)) void this.feed.more();
      },
      { rootMargin: "600px" },
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.key);
    clearInterval(this.minutes);
    this.observer?.disconnect();
    this.feed.stop();
    this.connection = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const asked = changed.has("person") && this.person !== undefined;
    if (asked) this.chosen = { person: this.person! };
    if (this.hass && (asked || this.connection !== this.hass.connection)) {
      this.connection = this.hass.connection;
      this.feed.start(this.hass, wanted(this.hass, this.chosen));
    }
  }

  protected override updated(_changed: PropertyValues): void {
    // Observed again after each page: its end may be on the screen still.
    this.observer?.disconnect();
    if (this.feed.after && !this.feed.loadingMore && !this.feed.moreFailed && this.end) this.observer?.observe(this.end);
  }

  protected override render(): unknown {
    const { hass, feed } = this;
    if (!hass) return nothing;
    const old = !hass.connected || feed.status === "failed" || feed.status === "stopped";
    return html`
      ${feed.now?.cameras.length
        ? html`<div class="heading">
              <h2>${text(hass, "now.heading")}</h2>
              ${feed.status === "ready" && hass.connected
                ? html`<span class="second"><span class="dot"></span>${text(hass, "panel.live")}</span>`
                : nothing}
            </div>
            <div class=${old ? "tiles old" : "tiles"} role="status">${feed.now.cameras.map((each) => tile(hass, each))}</div>`
        : nothing}
      ${feed.now
        ? html`<familiar-faces-filters
            .hass=${hass}
            .chosen=${this.chosen}
            .people=${feed.people.map((each) => ({ id: each.person_id, name: each.name }))}
            .cameras=${feed.now.cameras.map((each) => ({ id: each.camera_id, name: each.name }))}
            @filters-chosen=${this.choose}
          ></familiar-faces-filters>`
        : nothing}
      ${this.refused
        ? html`<p class="notice bad" role="alert">
            ${icon(mdiAlertCircleOutline)}<span>${text(hass, "panel.refused", { reason: this.refused })}</span>
            <button class="link" @click=${() => (this.refused = undefined)}>${text(hass, "panel.close")}</button>
          </p>`
        : nothing}
      <p class="visually-hidden" role="status">${this.notice ?? ""}</p>
      ${feed.held.length
        ? html`<button class="tonal held" @click=${this.release}>
            ${feed.held.length === 1
              ? text(hass, "list.new_one")
              : text(hass, "list.new_many", { count: feed.held.length })}
          </button>`
        : nothing}
      <div class=${old ? "old" : ""}>${this.list()}</div>
      <familiar-faces-who
        .hass=${hass}
        .people=${feed.people}
        @visit-answered=${(event: CustomEvent<{ visit: Visit; person_id: string; learn: boolean }>) =>
          this.answer(event.detail.visit, { correct: false, person_id: event.detail.person_id, learn: event.detail.learn })}
      ></familiar-faces-who>
    `;
  }

  private list(): unknown {
    const { hass, feed } = this;
    if (feed.status === "refused") {
      return html`<div class="empty card" role="alert">
        ${icon(mdiAlertCircleOutline)}
        <p>${text(hass, "panel.refused", { reason: feed.error ?? "" })}</p>
        <button class="tonal" @click=${this.again}>${text(hass, "panel.try_again")}</button>
      </div>`;
    }
    if (!feed.visits.length && !feed.now) {
      return html`<div class="card skeletons" role="status" aria-label=${text(hass, "panel.loading")}>
        ${[0, 1, 2, 3].map(() => html`<div class="skeleton"><i></i><b></b></div>`)}
      </div>`;
    }
    if (!feed.visits.length) {
      const filtered = Object.keys(this.chosen).length > 0;
      return feed.status === "loading"
        ? html`<div class="card skeletons" role="status" aria-label=${text(hass, "panel.loading")}>
            ${[0, 1].map(() => html`<div class="skeleton"><i></i><b></b></div>`)}
          </div>`
        : html`<div class="empty card">
            ${icon(mdiDoor)}
            <p>${text(hass, filtered ? "list.no_match" : "list.empty")}</p>
            ${filtered ? nothing : html`<p class="second">${text(hass, "list.empty_help")}</p>`}
          </div>`;
    }
    const days = new Map<string, Visit[]>();
    for (const each of feed.visits) {
      const of = day(hass, each.at);
      days.set(of, [...(days.get(of) ?? []), each]);
    }
    const today = day(hass, Date.now());
    return html`${repeat(
        days,
        ([of]) => of,
        ([of, visits], index) => html`<section aria-label=${dayName(hass, of)}>
          <div class="heading">
            <h2>${dayName(hass, of)}</h2>
            ${index === days.size - 1 && feed.after
              ? nothing
              : html`<span class="second"
                  >${visits.length === 1
                    ? text(hass, "list.count_one")
                    : text(hass, "list.count_many", { count: visits.length })}</span
                >`}
          </div>
          <div class="card rows">${repeat(visits, (each) => each.visit_id, (each) => this.row(each))}</div>
          ${of === today && visits.some((each) => each.kind !== "familiar")
            ? html`<p class="second note">${text(hass, "visit.nameless_note")}</p>`
            : nothing}
        </section>`,
      )}
      <div id="end">
        ${feed.after
          ? html`<button class="link" ?disabled=${feed.loadingMore} @click=${() => feed.more()}>
              ${text(hass, feed.moreFailed ? "panel.try_again" : "list.more")}
            </button>`
          : html`<p class="second note">${text(hass, "list.end")}</p>`}
      </div>`;
  }

  private row(visit: Visit): unknown {
    const { feed } = this;
    return html`<familiar-faces-visit
      .hass=${this.hass}
      .visit=${visit}
      .people=${feed.people}
      .administrator=${feed.now?.administrator ?? false}
      .mutes=${feed.now?.mutes ?? null}
      .failed=${feed.failures.has(visit.visit_id)}
      .minutes=${held(visit)}
      .muted=${this.mutedUntil(visit)}
      ?narrow=${this.narrow}
      @visit-action=${this.act}
      @keydown=${this.move}
    ></familiar-faces-visit>`;
  }

  private mutedUntil(visit: Visit): string | undefined {
    const until = this.feed.now?.muted[visit.person_id ?? visit.camera_id ?? ""];
    return until && Date.parse(until) > Date.now() ? until : undefined;
  }

  private choose(event: CustomEvent<Chosen>): void {
    // The address says whose visits were wanted first.
    if (this.person) navigate("/familiar-faces/visits", true);
    this.chosen = event.detail;
    this.feed.start(this.hass, wanted(this.hass, this.chosen));
  }

  private again(): void {
    this.feed.start(this.hass, wanted(this.hass, this.chosen));
  }

  private release(): void {
    this.feed.release();
    this.scroller?.scrollTo({ top: 0 });
  }

  private act(event: CustomEvent<{ action: RowAction; visit: Visit; person_id?: string }>): void {
    const { action, visit, person_id } = event.detail;
    if (action === "right") void this.answer(visit, { correct: true });
    else if (action === "nobody") void this.answer(visit, { correct: false });
    else if (action === "is") void this.answer(visit, { correct: false, person_id });
    else if (action === "other") void this.dialog.show(visit);
    else if (action === "undo") {
      void this.ask(() => this.hass.callWS({ type: "familiar_faces/visits/undo", visit_id: visit.visit_id }));
    } else void this.mute(visit);
  }

  private async answer(visit: Visit, said: object): Promise<void> {
    this.feed.failures.delete(visit.visit_id);
    await this.ask(() =>
      this.hass.callWS({ type: "familiar_faces/visits/answer", visit_id: visit.visit_id, ...said }),
    );
  }

  private async mute(visit: Visit): Promise<void> {
    const seconds = this.mutedUntil(visit) ? 0 : AN_HOUR;
    const what = visit.person_id ? { person_id: visit.person_id } : { camera_id: visit.camera_id! };
    const done = await this.ask(() => mute(this.hass, this.feed.now, what, seconds));
    if (!done || !seconds) return;
    const until = time(this.hass, new Date(Date.now() + seconds * 1000).toISOString());
    this.notice = text(this.hass, "answer.muted", { what: visit.name ?? where(this.hass, visit), time: until });
  }

  /** Have the server do something; say what failed. */
  private async ask(what: () => Promise<unknown>): Promise<boolean> {
    this.refused = await attempt(this.hass, what);
    return this.refused === undefined;
  }

  private readonly key = (event: KeyboardEvent): void => {
    const typing = event.composedPath().some((each) => each instanceof HTMLElement && /^(input|select|textarea)$/i.test(each.tagName));
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.renderRoot.querySelector<HTMLElement>("familiar-faces-filters")?.focus();
  };

  /** Arrows go from row to row. */
  private move(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const rows = [...this.renderRoot.querySelectorAll<VisitRow>("familiar-faces-visit")];
    const next = rows[rows.indexOf(event.currentTarget as VisitRow) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  static override styles = [
    shared,
    css`
      :host {
        display: block;
        max-width: 1060px;
        margin: 0 auto;
        padding: 12px 24px 32px;
      }
      :host([narrow]) {
        padding: 8px 8px 24px;
      }
      .heading {
        display: flex;
        justify-content: space-between;
        align-items: baseline;
        padding: 16px 4px 8px;
      }
      h2 {
        margin: 0;
        font-size: 14px;
        line-height: 20px;
        font-weight: 500;
        color: var(--ff-muted);
      }
      .dot {
        display: inline-block;
        width: 8px;
        height: 8px;
        border-radius: 50%;
        background: var(--success-color, #43a047);
        margin-inline-end: 6px;
      }
      .tiles {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(260px, 100%), 1fr));
        gap: 8px;
        margin-bottom: 16px;
      }
      .tile {
        --ff-face: 44px;
        display: flex;
        align-items: center;
        gap: 12px;
        padding: 12px;
        min-width: 0;
      }
      .tile.here {
        border-color: var(--success-color, #43a047);
      }
      .tile .words {
        min-width: 0;
      }
      .tile .name {
        font-weight: 500;
      }
      .sign {
        width: 44px;
        height: 44px;
        border-radius: 50%;
        display: grid;
        place-items: center;
        flex: none;
        background: var(--ff-soft);
        color: var(--ff-muted);
      }
      .sign.trouble {
        background: color-mix(in srgb, var(--warning-color, #ffa600) 16%, transparent);
        color: var(--ff-warn);
      }
      .rows > * + * {
        border-top: 1px solid var(--ff-line);
      }
      .note {
        margin: 8px 4px;
        font-size: 13px;
      }
      .notice {
        display: flex;
        align-items: center;
        gap: 8px;
        margin: 12px 0 0;
        padding: 4px 12px;
        border-radius: 12px;
      }
      .notice.bad {
        background: color-mix(in srgb, var(--error-color, #db4437) 10%, transparent);
        color: var(--ff-bad);
      }
      .notice .link {
        margin-inline-start: auto;
      }
      .held {
        position: sticky;
        top: 8px;
        z-index: 1;
        margin: 12px auto 0;
        display: flex;
        box-shadow: 0 2px 8px rgba(0, 0, 0, 0.25);
      }
      .skeletons {
        margin-top: 16px;
      }
      .skeleton {
        display: flex;
        align-items: center;
        gap: 14px;
        padding: 12px 18px;
        height: 54px;
      }
      .skeleton i {
        width: 52px;
        height: 52px;
        border-radius: 50%;
      }
      .skeleton b {
        width: 180px;
        height: 16px;
        border-radius: 8px;
      }
      .skeleton i,
      .skeleton b {
        background: var(--ff-soft);
        animation: pulse 1.4s ease-in-out infinite;
      }
      #end {
        display: grid;
        justify-items: center;
        min-height: 36px;
        margin-top: 8px;
      }
      @keyframes pulse {
        50% {
          opacity: 0.4;
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .skeleton i,
        .skeleton b {
          animation: none;
        }
      }
    `,
  ];
}

define("familiar-faces-visits", VisitsTab);
