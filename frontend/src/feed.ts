// The visits as this browser knows them: one subscription, and older pages when they are asked for.

import type { Hass } from "./ha";
import type { Cursor, FeedEvent, Now, PageOfVisits, Person, Visit, Wanted } from "./model";
import { Subscription } from "./subscription";

const PAGE = 50;
/** Pages that are read again after a reconnect, at most: anyone who scrolled further begins from there. */
const PAGES_AGAIN = 20;

export type Status = "loading" | "ready" | "failed" | "stopped" | "refused";

export class VisitFeed {
  status: Status = "loading";
  now: Now | undefined;
  people: Person[] = [];
  visits: Visit[] = [];
  after: Cursor | null = null;
  /** Visits that wait until somebody who has scrolled wants to see them. */
  held: Visit[] = [];
  /** Answers that could not be carried out, by their visits. */
  failures = new Set<string>();
  /** Seconds until the server tries again. */
  again = 0;
  /** Why the server refuses, in words. */
  error: string | undefined;
  loadingMore = false;
  moreFailed = false;

  private hass: Hass | undefined;
  private wanted: Wanted = {};
  private limit = PAGE;
  private turn = 0;
  private readonly subscription = new Subscription<FeedEvent>(
    (event) => this.hear(event),
    () => this.hear({ type: "stopped" }),
    (words) => {
      this.status = "refused";
      this.error = words;
      this.changed();
    },
  );

  /** `frozen` says whether new visits have to wait. */
  constructor(
    private readonly changed: () => void,
    private readonly frozen: () => boolean = () => false,
  ) {}

  /** Begin, or begin again with other filters. */
  start(hass: Hass, wanted: Wanted, limit = PAGE): void {
    this.stop();
    this.hass = hass;
    this.wanted = wanted;
    this.limit = limit;
    this.status = "loading";
    this.visits = [];
    this.held = [];
    this.after = null;
    this.error = undefined;
    this.subscription.start(hass, { type: "familiar_faces/visits/subscribe", ...wanted, limit });
    this.changed();
  }

  stop(): void {
    this.turn += 1;
    this.subscription.stop();
  }

  /** Show the visits that waited. */
  release(): void {
    this.visits = merged(this.visits, this.held);
    this.held = [];
    this.changed();
  }

  async more(): Promise<void> {
    if (!this.hass || !this.after || this.loadingMore) return;
    const turn = this.turn;
    this.loadingMore = true;
    this.moreFailed = false;
    this.changed();
    try {
      const page = await this.read(this.after);
      if (turn !== this.turn) return;
      this.visits = merged(this.visits, page.visits);
      this.after = page.after;
    } catch {
      if (turn === this.turn) this.moreFailed = true;
    } finally {
      this.loadingMore = false;
      this.changed();
    }
  }

  private read(after: Cursor): Promise<PageOfVisits> {
    return this.hass!.callWS<PageOfVisits>({
      type: "familiar_faces/visits/list",
      ...this.wanted,
      after,
      limit: this.limit,
    });
  }

  private hear(event: FeedEvent): void {
    if (event.type === "stopped" || event.type === "failed") {
      this.status = event.type;
      this.again = event.type === "failed" ? event.again : 0;
      this.changed();
      return;
    }
    for (const each of Object.keys(event.failed)) this.failures.add(each);
    if (event.type === "all") {
      void this.replace(event);
      return;
    }
    this.now = event;
    for (const each of event.visits) if (each.answer) this.failures.delete(each.visit_id);
    const gone = new Set(event.gone);
    this.visits = this.visits.filter((each) => !gone.has(each.visit_id));
    this.held = this.held.filter((each) => !gone.has(each.visit_id));
    this.take(event.visits);
    this.changed();
  }

  /** Have all be as the server says now; further down, as far as it was shown before. */
  private async replace(event: FeedEvent & { type: "all" }): Promise<void> {
    const turn = this.turn;
    const before = this.visits;
    this.now = event;
    this.people = event.people;
    let { visits, after } = event;
    for (let pages = 0; after && visits.length < before.length && pages < PAGES_AGAIN; pages += 1) {
      let page: PageOfVisits;
      try {
        page = await this.read(after);
      } catch {
        break;
      }
      if (turn !== this.turn) return;
      visits = merged(visits, page.visits);
      after = page.after;
    }
    // What was heard of while older pages were read is newer.
    const heard = this.visits === before ? [] : this.visits.filter((each) => !before.includes(each));
    const all = merged(visits, heard);
    const known = new Set(before.map((each) => each.visit_id));
    this.status = "ready";
    this.after = after;
    this.held = [];
    this.visits = before.length ? all.filter((each) => known.has(each.visit_id) || !this.waits(each, before)) : all;
    const shown = new Set(this.visits.map((each) => each.visit_id));
    this.held = all.filter((each) => !shown.has(each.visit_id));
    this.changed();
  }

  private take(visits: Visit[]): void {
    const known = new Set(this.visits.map((each) => each.visit_id));
    const last = this.after && this.visits.at(-1);
    for (const each of visits) {
      if (last && !known.has(each.visit_id) && order(each, last) > 0) continue; // It comes with its page.
      if (!known.has(each.visit_id) && this.waits(each, this.visits)) this.held = merged(this.held, [each]);
      else this.visits = merged(this.visits, [each]);
    }
  }

  private waits(visit: Visit, shown: Visit[]): boolean {
    const first = shown[0];
    return this.frozen() && first !== undefined && order(visit, first) < 0;
  }
}

/** Newest first. */
export function order(one: Visit, other: Visit): number {
  const by = Date.parse(other.at) - Date.parse(one.at);
  return by || (one.visit_id < other.visit_id ? 1 : one.visit_id > other.visit_id ? -1 : 0);
}

/** Return all visits of both, each once and as the second says it. */
export function merged(visits: Visit[], newer: Visit[]): Visit[] {
  const all = new Map(visits.map((each) => [each.visit_id, each]));
  for (const each of newer) all.set(each.visit_id, each);
  return [...all.values()].sort(order);
}
