// Something that the server tells of for as long as somebody listens, also after Home Assistant was started again.

import { type Connection, type Hass, type Refusal, type Unsubscribe, refusal } from "./ha";

/** Milliseconds after which it is asked again, while Home Assistant starts and does not know yet what is asked. */
const AGAIN = 2_000;
/** What Home Assistant answers until Familiar Faces is set up. */
const NOT_YET = ["unknown_command", "not_loaded"];

/**
 * The connection asks again by itself when it was lost, but only once: a Home Assistant that is just starting refuses,
 * and nothing would ever be heard again. So this one does.
 */
export class Subscription<T> {
  private turn = 0;
  private hass: Hass | undefined;
  private connection: Connection | undefined;
  private message: object = {};
  private unsubscribe: Promise<Unsubscribe> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly hear: (event: T) => void,
    /** Is told that Familiar Faces does not run yet; it is asked again by itself. */
    private readonly notYet: () => void,
    /** Is told why the server refuses: in words, and by the key of its texts. */
    private readonly refused: (words: string, key: string | undefined) => void,
  ) {}

  /** Begin, in place of what was asked for before. */
  start(hass: Hass, message: object): void {
    this.stop();
    this.hass = hass;
    this.connection = hass.connection;
    this.message = message;
    this.connection.addEventListener("ready", this.ask);
    this.ask();
  }

  stop(): void {
    this.connection?.removeEventListener("ready", this.ask);
    this.connection = undefined;
    this.leave();
  }

  private leave(): void {
    const { unsubscribe } = this;
    this.forget();
    void unsubscribe?.then((end) => end()).catch(() => undefined);
  }

  private forget(): void {
    this.turn += 1;
    clearTimeout(this.timer);
    this.unsubscribe = undefined;
  }

  private readonly ask = (): void => {
    const { connection } = this;
    if (!connection) return;
    // A connection that was lost has forgotten what was asked, and counts from 1 again: to unsubscribe now would end
    // what has the same number by now, this one perhaps.
    this.forget();
    const turn = this.turn;
    this.unsubscribe = connection.subscribeMessage<T>(
      (event) => {
        if (turn === this.turn) this.hear(event);
      },
      this.message,
      { resubscribe: false },
    );
    this.unsubscribe.catch(async (error: unknown) => {
      if (turn !== this.turn) return;
      const { code, translation_key } = (error ?? {}) as Refusal;
      if (NOT_YET.includes(code ?? "") || NOT_YET.includes(translation_key ?? "")) {
        this.timer = setTimeout(this.ask, AGAIN);
        this.notYet();
        return;
      }
      const words = await refusal(this.hass!, error);
      if (turn === this.turn) this.refused(words, translation_key);
    });
  };
}
