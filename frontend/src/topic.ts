// What the server says whole, now and whenever it may have changed: panel/topic.py.

import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Hass } from "./ha";
import { Subscription } from "./subscription";

export type TopicStatus = "loading" | "ready" | "failed" | "stopped" | "gone" | "refused";

type Said<T> = ({ type: "all" } & T) | { type: "failed"; again: number } | { type: "stopped" } | { type: "gone" };

/** Ends with the element whose it is; what is followed is asked for in its `willUpdate`, again when it comes back. */
export class Topic<T extends object> implements ReactiveController {
  status: TopicStatus = "loading";
  said: T | undefined;
  /** Seconds until the server tries again. */
  again = 0;
  /** Why the server refuses, in words. */
  error: string | undefined;
  /** The same as a key of its texts. */
  reason: string | undefined;
  private connection: unknown;
  private asked = "";
  private readonly subscription = new Subscription<Said<T>>(
    (event) => this.hear(event),
    () => this.hear({ type: "stopped" }),
    (words, key) => {
      this.status = "refused";
      this.error = words;
      this.reason = key;
      this.host.requestUpdate();
    },
  );

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    this.host.requestUpdate();
  }

  hostDisconnected(): void {
    this.stop();
  }

  /** Follow something, unless it is followed already. */
  follow(hass: Hass, message: object): void {
    const asked = JSON.stringify(message);
    if (this.connection === hass.connection && this.asked === asked) return;
    this.stop();
    this.connection = hass.connection;
    this.asked = asked;
    this.status = "loading";
    this.said = undefined;
    this.subscription.start(hass, message);
  }

  stop(): void {
    this.connection = undefined;
    this.asked = "";
    this.subscription.stop();
  }

  private hear(event: Said<T>): void {
    if (event.type === "all") {
      this.status = "ready";
      this.said = event;
    } else {
      this.status = event.type;
      if (event.type === "failed") this.again = event.again;
      if (event.type === "gone") this.said = undefined;
    }
    this.host.requestUpdate();
  }
}
