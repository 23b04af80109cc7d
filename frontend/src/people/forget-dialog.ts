// Forgetting cannot be undone, so it wants the name typed, or the button held for three seconds.

import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { type Hass, define, fire, refusal, sentences } from "../ha";
import { icon, mdiAlertOutline, mdiClose, mdiDeleteOutline } from "../icons";
import { dialogs, shared } from "../styles";
import { text } from "../text";
import type { Page, Receipt } from "./model";

const HELD_MS = 3000;

interface Mention {
  place: string;
  kind: string;
  where: string;
  erasable: boolean;
}

export class ForgetDialog extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @state() private page: Page | undefined;
  @state() private mentions: Mention[] = [];
  @state() private also = new Set<string>();
  @state() private typed = "";
  @state() private holding = false;
  @state() private working = false;
  @state() private refused: string | undefined;
  @state() private say: Awaited<ReturnType<typeof sentences>> | undefined;
  @query("dialog") private dialog!: HTMLDialogElement;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Ask whether somebody is to be forgotten; `person-forgotten` tells the receipt. */
  async show(page: Page): Promise<void> {
    this.page = page;
    this.mentions = [];
    this.also = new Set();
    this.typed = "";
    this.refused = undefined;
    this.working = false;
    await this.updateComplete;
    this.dialog.showModal();
    if (page.mine) return;
    this.say ??= await sentences(this.hass);
    try {
      const found = await this.hass.callWS<{ mentions: Mention[] }>({
        type: "familiar_faces/person/mentions",
        person_id: page.person_id,
      });
      this.mentions = found.mentions;
    } catch (error) {
      this.refused = await refusal(this.hass, error);
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override render(): unknown {
    const { hass, page } = this;
    if (!hass) return nothing;
    return html`<dialog aria-labelledby="title" @close=${this.closed} @cancel=${(event: Event) => this.working && event.preventDefault()}>
      ${page ? this.content(hass, page) : nothing}
    </dialog>`;
  }

  private content(hass: Hass, page: Page): unknown {
    const { name, mine, kept } = page;
    const row = (what: string, count: string | number) => html`<div><dt>${what}</dt><dd>${count}</dd></div>`;
    return html`<form
      class="inside"
      @submit=${(event: Event) => {
        event.preventDefault();
        if (this.fits) void this.forget();
      }}
    >
      <header>
        <button
          type="button"
          class="icon-button"
          aria-label=${text(hass, "panel.close")}
          ?disabled=${this.working}
          @click=${() => this.dialog.close()}
        >
          ${icon(mdiClose)}
        </button>
        <h2 id="title">${text(hass, mine ? "forget.button_no" : "forget.title", { name })}</h2>
      </header>
      <p>${text(hass, mine ? "forget.what_you" : "forget.what", { name })}</p>
      <dl class="rows">
        ${row(text(hass, "person.kept_photos"), kept.photos)} ${row(text(hass, "person.kept_visits"), kept.visits)}
        ${row(text(hass, "person.kept_pictures"), kept.pictures)}
        ${row(text(hass, "forget.consents"), text(hass, "forget.all"))}
        ${row(text(hass, "forget.traces"), text(hass, "forget.all"))}
      </dl>
      ${this.mentions.length ? this.places(hass) : nothing}
      <p class="note warn">${icon(mdiAlertOutline)}<span>${text(hass, "forget.not_reached")}</span></p>
      ${this.refused
        ? html`<p class="note bad" role="alert">${text(hass, "panel.refused", { reason: this.refused })}</p>`
        : nothing}
      <label class="typed">
        <span class="second">${text(hass, "forget.type", { name })}</span>
        <input
          class="field"
          autocomplete="off"
          ?disabled=${this.working}
          .value=${this.typed}
          @input=${(event: InputEvent) => (this.typed = (event.target as HTMLInputElement).value)}
        />
      </label>
      <p class="second" role="status">${text(hass, this.working ? "forget.working" : "forget.hold")}</p>
      <footer>
        <button type="button" class="link" ?disabled=${this.working} @click=${() => this.dialog.close()}>
          ${text(hass, "panel.cancel")}
        </button>
        <button
          class="filled danger ${this.holding ? "holding" : ""}"
          ?disabled=${this.working}
          @pointerdown=${this.hold}
          @pointerup=${this.letGo}
          @pointerleave=${this.letGo}
          @pointercancel=${this.letGo}
        >
          ${icon(mdiDeleteOutline)}${text(hass, mine ? "forget.button_no" : "forget.button")}
        </button>
      </footer>
    </form>`;
  }

  private places(hass: Hass): unknown {
    return html`<fieldset>
      <legend>${text(hass, "forget.mentions")}</legend>
      ${this.mentions.map((each) => {
        const where = this.say?.("mention", each.kind, { where: each.where }) ?? each.where;
        return html`<label class="check">
          <input
            type="checkbox"
            ?disabled=${!each.erasable || this.working}
            .checked=${this.also.has(each.place)}
            @change=${(event: Event) => {
              const chosen = new Set(this.also);
              if ((event.target as HTMLInputElement).checked) chosen.add(each.place);
              else chosen.delete(each.place);
              this.also = chosen;
            }}
          />${where}
        </label>`;
      })}
    </fieldset>`;
  }

  private get fits(): boolean {
    return !this.working && this.typed.trim().toLocaleLowerCase() === this.page?.name.toLocaleLowerCase();
  }

  private hold(): void {
    if (this.fits) return;
    this.holding = true;
    this.timer = setTimeout(() => void this.forget(), HELD_MS);
  }

  private letGo(): void {
    this.holding = false;
    clearTimeout(this.timer);
  }

  private closed(): void {
    this.letGo();
    this.page = undefined;
  }

  private async forget(): Promise<void> {
    const page = this.page!;
    // What is shown of them ends before the answer comes: their receipt is still to be read.
    fire(this, "person-forgetting");
    this.letGo();
    this.working = true;
    this.refused = undefined;
    try {
      const receipt = await this.hass.callWS<Receipt>(
        page.mine
          ? { type: "familiar_faces/me/withdraw", sure: true }
          : { type: "familiar_faces/person/forget", person_id: page.person_id, also: [...this.also] },
      );
      this.dialog.close();
      fire(this, "person-forgotten", receipt);
    } catch (error) {
      this.refused = await refusal(this.hass, error);
    } finally {
      this.working = false;
    }
  }

  static override styles = [
    shared,
    dialogs,
    css`
      p {
        margin: 0;
      }
      .typed {
        display: grid;
        gap: 4px;
      }
      fieldset {
        border: 1px solid var(--ff-line);
        border-radius: 12px;
        padding: 8px 12px;
        margin: 0;
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .danger {
        position: relative;
        overflow: hidden;
        touch-action: none;
      }
      .danger::before {
        content: "";
        position: absolute;
        inset: 0;
        transform: scaleX(0);
        transform-origin: left;
        background: color-mix(in srgb, var(--error-color, #db4437) 30%, transparent);
      }
      .holding::before {
        transform: none;
        transition: transform 3s linear;
      }
    `,
  ];
}

define("familiar-faces-forget", ForgetDialog);
