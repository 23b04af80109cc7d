// What a tab has asked the server for: the answer, or why there is none. What was there before stays until then.

import { type Hass, refusal } from "./ha";

export class Loaded<T> {
  value: T | undefined;
  /** Why the last try failed, in words. */
  error: string | undefined;
  loading = false;
  private turn = 0;

  constructor(private readonly changed: () => void) {}

  async load(hass: Hass, message: object): Promise<void> {
    const turn = ++this.turn;
    this.loading = true;
    this.changed();
    try {
      const value = await hass.callWS<T>(message);
      if (turn !== this.turn) return;
      this.value = value;
      this.error = undefined;
    } catch (error) {
      const words = await refusal(hass, error);
      if (turn !== this.turn) return;
      this.error = words;
    }
    this.loading = false;
    this.changed();
  }

  /** Know nothing any longer, and take no answer that is still to come. */
  drop(): void {
    this.turn += 1;
    this.value = undefined;
    this.error = undefined;
    this.loading = false;
  }
}
