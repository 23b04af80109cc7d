// Somebody's reference photos: what each is worth, and how to add, set aside, use and erase them.

import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import "../face";
import { type Hass, attempt, define, fire, sentences } from "../ha";
import { icon, mdiCameraPlusOutline, mdiCheck, mdiImagePlus, mdiPauseCircleOutline, mdiQrcode, mdiStarOutline, mdiUpload } from "../icons";
import { dialogs, shared } from "../styles";
import { type Key, date, keyed, text } from "../text";
import { type Judged, type Page, type Photo, photoPath } from "./model";
import { pages } from "./styles";

interface Outcome {
  file: File;
  judged: Judged;
  words: string;
}

export class Photos extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) page!: Page;
  /** Why no photo can be added now. */
  @property({ attribute: false }) down = false;
  @state() private sending: { number: number; count: number } | undefined;
  @state() private outcomes: Outcome[] = [];
  @state() private asked: string | undefined;
  @state() private refused: string | undefined;
  @state() private over = false;
  @query("input[type=file]") private input!: HTMLInputElement;

  protected override render(): unknown {
    const { hass, page } = this;
    const enough = page.different >= page.enough;
    return html`<section class="card box" aria-labelledby="photos">
      <header>
        <h2 id="photos">${text(hass, page.mine ? "person.your_photos" : "person.photos")}</h2>
        <span class=${enough ? "tag" : "tag fairly"}>
          ${enough
            ? text(hass, "person.different", { count: page.different })
            : text(hass, "person.different_enough", { count: page.enough })}
        </span>
      </header>
      ${this.refused
        ? html`<p class="note bad" role="alert">${text(hass, "panel.refused", { reason: this.refused })}</p>`
        : nothing}
      <ul class="photos">
        ${repeat(page.templates, (each) => each.template_id, (each) => this.photo(each))}
      </ul>
      ${page.may ? this.add() : nothing}
    </section>`;
  }

  private photo(photo: Photo): unknown {
    const { hass, page } = this;
    const matched = photo.matched && photo.worth !== "aside";
    const day = date(hass, photo.added_at);
    const help = matched ? undefined : keyed("person", `worth_${photo.worth}_help`);
    const sign = { good: mdiCheck, little: mdiCheck, odd: mdiPauseCircleOutline, aside: mdiPauseCircleOutline, old_model: mdiPauseCircleOutline };
    return html`<li class=${matched ? "matched" : photo.worth}>
      <div class="framed">
        <familiar-faces-face
          square
          .hass=${hass}
          .photo=${photoPath(page.person_id, photo.template_id)}
          .name=${page.name}
          .said=${text(hass, "person.photo_of", { name: page.name, day })}
        ></familiar-faces-face>
        <span class="mark">${icon(matched ? mdiStarOutline : sign[photo.worth])}</span>
      </div>
      <strong>${text(hass, matched ? "person.matched" : (`person.worth_${photo.worth}` as Key))}</strong>
      <span class="second">${help ? text(hass, help) : day}</span>
      ${page.may ? this.actions(photo, day) : nothing}
    </li>`;
  }

  private actions(photo: Photo, day: string): unknown {
    const { hass, page } = this;
    const what = text(hass, "person.photo_of", { name: page.name, day });
    const button = (words: string, action: () => void, danger = false) => html`<button
      class="link ${danger ? "danger" : ""}"
      aria-label="${words}: ${what}"
      @click=${action}
    >
      ${words}
    </button>`;
    if (this.asked === photo.template_id) {
      return html`<span class="acts">
        ${button(text(hass, "person.remove_sure"), () => void this.change(photo, "remove"), true)}
        ${button(text(hass, "panel.undo_not"), () => (this.asked = undefined))}
      </span>`;
    }
    return html`<span class="acts">
      ${page.mine
        ? nothing
        : photo.worth === "aside"
          ? button(text(hass, "person.use"), () => void this.change(photo, "use"))
          : button(text(hass, "person.aside"), () => void this.change(photo, "aside"))}
      ${button(text(hass, "person.remove"), () => (this.asked = photo.template_id))}
    </span>`;
  }

  private add(): unknown {
    const { hass, page } = this;
    if (this.down) return html`<p class="note warn">${text(hass, "person.engine_needed")}</p>`;
    return html`<div
        class="drop ${this.over ? "over" : ""}"
        @dragover=${(event: DragEvent) => {
          event.preventDefault();
          this.over = true;
        }}
        @dragleave=${() => (this.over = false)}
        @drop=${(event: DragEvent) => {
          event.preventDefault();
          this.over = false;
          void this.send([...(event.dataTransfer?.files ?? [])]);
        }}
      >
        <span class="plain second">${icon(mdiUpload)}${text(hass, "person.drop")}</span>
        <input
          type="file"
          accept="image/*"
          multiple
          hidden
          aria-label=${text(hass, "person.choose")}
          @change=${() => {
            void this.send([...(this.input.files ?? [])]);
            this.input.value = "";
          }}
        />
        <button class="tonal" ?disabled=${this.sending} @click=${() => this.input.click()}>
          ${icon(mdiImagePlus)}${text(hass, "person.choose")}
        </button>
        ${page.mine
          ? nothing
          : html`${page.cameras.length
                ? html`<button class="tonal" @click=${() => fire(this, "camera-asked")}>
                    ${icon(mdiCameraPlusOutline)}${text(hass, "walk_up.use")}
                  </button>`
                : nothing}
              <button class="tonal" @click=${() => fire(this, "person-asked")}>
                ${icon(mdiQrcode)}${text(hass, "person.ask", { name: page.name })}
              </button>`}
      </div>
      <div role="status">
        ${this.sending ? html`<p class="second">${text(hass, "person.adding", { ...this.sending })}</p>` : nothing}
        ${this.outcomes.map(
          (each) => html`<p class="note ${each.judged.taken ? "" : "warn"}">
            <span>${each.file.name}: ${each.words}</span>
            ${each.judged.may_insist
              ? html`<button class="link" @click=${() => this.insist(each)}>${text(hass, "person.insist")}</button>`
              : nothing}
          </p>`,
        )}
      </div>`;
  }

  private async send(files: File[]): Promise<void> {
    this.outcomes = [];
    for (const [index, file] of files.entries()) {
      this.sending = { number: index + 1, count: files.length };
      this.outcomes = [...this.outcomes, await this.sendOne(file, false)];
    }
    this.sending = undefined;
  }

  private async insist(outcome: Outcome): Promise<void> {
    const again = await this.sendOne(outcome.file, true);
    this.outcomes = this.outcomes.map((each) => (each === outcome ? again : each));
  }

  private async sendOne(file: File, insist: boolean): Promise<Outcome> {
    const path = `/api/familiar_faces/photo/${encodeURIComponent(this.page.person_id)}${insist ? "?insist=1" : ""}`;
    let judged: Judged = { reason: "not_sent", taken: false, warnings: [], may_insist: false, other: "" };
    try {
      const answer = await this.hass.fetchWithAuth(path, { method: "POST", body: file });
      judged = (await answer.json()) as Judged;
    } catch {
      // Such as a connection that was lost: it is said so.
    }
    return { file, judged, words: await this.words(judged) };
  }

  private async words(judged: Judged): Promise<string> {
    const { hass, page } = this;
    const say = await sentences(hass);
    const values = { name: page.name, other: judged.other };
    const own = keyed("person", `not_added_${judged.reason}`);
    const first = own ? text(hass, own, values) : say("photo_verdict", judged.reason, values);
    const warnings = judged.warnings.map((each) => say("photo_verdict", `warning_${each}`, values));
    return [first || text(hass, "person.not_sent"), ...warnings].join(" ");
  }

  private async change(photo: Photo, change: "aside" | "use" | "remove"): Promise<void> {
    this.asked = undefined;
    this.refused = await attempt(this.hass, () =>
      this.hass.callWS({
        type: "familiar_faces/person/photo",
        person_id: this.page.person_id,
        template_id: photo.template_id,
        change,
      }),
    );
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
      .photos {
        margin: 0;
        padding: 0;
        list-style: none;
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(128px, 1fr));
        gap: 16px 12px;
      }
      li {
        display: grid;
        align-content: start;
        min-width: 0;
      }
      .framed {
        --ff-face: 128px;
        position: relative;
        width: 128px;
        border-radius: 12px;
        margin-bottom: 6px;
      }
      .matched .framed {
        outline: 3px solid var(--primary-color);
        outline-offset: 1px;
      }
      .aside familiar-faces-face,
      .old_model familiar-faces-face {
        filter: grayscale(1);
        opacity: 0.7;
      }
      .mark {
        position: absolute;
        inset: 6px 6px auto auto;
        width: 26px;
        height: 26px;
        border-radius: 50%;
        display: grid;
        place-items: center;
        color: var(--ff-good);
        background: var(--card-background-color);
      }
      .odd .mark,
      .aside .mark,
      .old_model .mark {
        color: var(--ff-warn);
      }
      .acts {
        display: flex;
        flex-wrap: wrap;
        margin-inline-start: -8px;
      }
      .link.danger {
        background: none;
      }
      .drop {
        display: flex;
        flex-wrap: wrap;
        gap: 12px;
        align-items: center;
        justify-content: center;
        padding: 16px;
        border: 2px dashed var(--ff-line);
        border-radius: 12px;
      }
      /* Nothing can be dropped with a finger. */
      @media (pointer: coarse) {
        .drop > .plain {
          display: none;
        }
      }
      .drop.over {
        border-color: var(--primary-color);
      }
      .note {
        margin: 8px 0 0;
        justify-content: space-between;
      }
    `,
  ];
}

define("familiar-faces-photos", Photos);
