// Choosing otherwise, by a linked user: the text, each question with a yes or no of its own, and a yes at the end.

import { LitElement, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { type Hass, define, fire, refusal } from "../ha";
import { pages } from "../people/styles";
import { dialogs, shared } from "../styles";
import { type Key, date, text } from "../text";

const KEEPING = ["visits", "nothing", "silent"] as const;

interface Offer {
  text: string;
  read: string;
  last_day: string;
  cameras: { camera_id: string; name: string; chosen: boolean }[];
  everywhere: boolean;
  keeping: (typeof KEEPING)[number];
  pictures: boolean;
  uploads: boolean;
}

export class Choices extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @state() private offer: Offer | undefined;
  @state() private agreed = false;
  @state() private refused: string | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  private get language(): string {
    const language = this.hass.language.split("-")[0] ?? "en";
    return ["en", "de", "nl"].includes(language) ? language : "en";
  }

  private async load(): Promise<void> {
    try {
      this.offer = await this.hass.callWS<Offer>({ type: "familiar_faces/me/offer", language: this.language });
    } catch (error) {
      this.refused = await refusal(this.hass, error);
    }
  }

  protected override render(): unknown {
    const { hass, offer } = this;
    return html`<form class="card box" @submit=${this.save}>
      <h2 tabindex="-1">${text(hass, "me.choices")}</h2>
      ${this.refused
        ? html`<p class="note bad" role="alert">${text(hass, "panel.refused", { reason: this.refused })}</p>`
        : nothing}
      ${offer ? this.questions(offer) : nothing}
      <div class="actions">
        ${offer ? html`<button class="filled" ?disabled=${!this.agreed}>${text(hass, "me.save")}</button>` : nothing}
        <button type="button" class="link" @click=${() => fire(this, "choices-done")}>
          ${text(hass, "panel.cancel")}
        </button>
      </div>
    </form>`;
  }

  private questions(offer: Offer): unknown {
    const { hass } = this;
    const silent = offer.keeping === "silent";
    const box = (words: string, checked: boolean, change: (on: boolean) => void, disabled = false) => html`<label class="check">
      <input
        type="checkbox"
        .checked=${checked}
        ?disabled=${disabled}
        @change=${(event: Event) => change((event.target as HTMLInputElement).checked)}
      />${words}
    </label>`;
    const set = (change: Partial<Offer>) => (this.offer = { ...offer, ...change });
    return html`<div class="text" tabindex="0">${offer.text.split("\n\n").map((each) => html`<p>${each}</p>`)}</div>
      <fieldset>
        <legend>${text(hass, "me.where")}</legend>
        ${box(text(hass, "me.every_camera"), offer.everywhere, (everywhere) => set({ everywhere }))}
        ${offer.everywhere
          ? nothing
          : offer.cameras.map((camera) =>
              box(camera.name, camera.chosen, (chosen) =>
                set({ cameras: offer.cameras.map((each) => (each === camera ? { ...camera, chosen } : each)) }),
              ),
            )}
      </fieldset>
      <fieldset>
        <legend>${text(hass, "me.keeping")}</legend>
        ${KEEPING.map(
          (keeping) => html`<label class="check">
            <input
              type="radio"
              name="keeping"
              .checked=${offer.keeping === keeping}
              @change=${() => set({ keeping })}
            />${text(hass, `me.keeping_${keeping}` as Key)}
          </label>`,
        )}
        ${box(text(hass, "me.pictures"), offer.pictures && offer.keeping === "visits", (pictures) => set({ pictures }), offer.keeping !== "visits")}
        ${box(text(hass, "me.uploads"), offer.uploads && !silent, (uploads) => set({ uploads }), silent)}
      </fieldset>
      ${box(
        text(hass, "me.agree", { day: date(hass, `${offer.last_day}T12:00:00`) }),
        this.agreed,
        (agreed) => (this.agreed = agreed),
      )}`;
  }

  private async save(event: Event): Promise<void> {
    event.preventDefault();
    const { offer } = this;
    if (!offer || !this.agreed) return;
    try {
      await this.hass.callWS({
        type: "familiar_faces/me/choose",
        everywhere: offer.everywhere,
        cameras: offer.cameras.filter((each) => each.chosen).map((each) => each.camera_id),
        keeping: offer.keeping,
        pictures: offer.pictures,
        uploads: offer.uploads,
        agreed: true,
        read: offer.read,
        language: this.language,
      });
      fire(this, "choices-done");
    } catch (error) {
      this.refused = await refusal(this.hass, error);
      // The text may be another one.
      this.agreed = false;
      const again = await this.hass
        .callWS<Offer>({ type: "familiar_faces/me/offer", language: this.language })
        .catch(() => undefined);
      if (again) this.offer = { ...offer, text: again.text, read: again.read, last_day: again.last_day };
    }
  }

  static override styles = [
    shared,
    dialogs,
    pages,
    css`
      :host {
        max-width: none;
        margin: 0;
        padding: 0;
      }
      fieldset {
        border: 1px solid var(--ff-line);
        border-radius: 12px;
        padding: 8px 12px;
        margin: 0;
      }
      .text {
        max-height: 260px;
        overflow: auto;
      }
      .text p + p {
        margin-top: 8px;
      }
    `,
  ];
}

define("familiar-faces-choices", Choices);
