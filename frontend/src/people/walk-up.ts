// Taking photos of somebody with a camera: what it shows, one instruction large enough to read at the door, three photos.

import { LitElement, css, html, nothing, svg } from "lit";
import { property, query, state } from "lit/decorators.js";
import { upright } from "../cameras/picture";
import "../face";
import { DOMAIN, type Hass, type Unsubscribe, define, refusal, sentences } from "../ha";
import { icon, mdiArrowLeft, mdiArrowRight, mdiCameraOutline, mdiCctv, mdiClose } from "../icons";
import { dialogs, shared } from "../styles";
import { text } from "../text";
import { type Page, photoPath } from "./model";

interface Shown {
  /** Base64. */
  picture: string;
  turn: number;
  size: [number, number];
  faces: [number, number, number, number][];
}

type Said =
  | { type: "frame"; hint: string; other: string; settled: number; wanted: number; taken: string[]; shown: Shown | null }
  | { type: "ended"; ended: string; taken: number; wanted: number };

/** What the camera saw last, with where it lies in this browser. */
interface Seen extends Shown {
  address: string;
}

/** Whose photos are taken, and by which cameras. */
export type Whose = Pick<Page, "person_id" | "name" | "cameras">;

export class WalkUp extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @state() private page: Whose | undefined;
  /** The camera that is looked at; none while one is to be chosen. */
  @state() private camera: { camera_id: string; name: string } | undefined;
  @state() private instruction: { words: string; more: string; hint: string } | undefined;
  @state() private settled = 0;
  @state() private wanted = 3;
  @state() private taken: string[] = [];
  @state() private seen: Seen | undefined;
  @state() private ended: string | undefined;
  @query("dialog") private dialog!: HTMLDialogElement;
  private unsubscribe: Promise<Unsubscribe> | undefined;
  private turn = 0;

  async show(page: Whose): Promise<void> {
    this.page = page;
    this.camera = undefined;
    this.ended = undefined;
    await this.updateComplete;
    this.dialog.showModal();
    const [only, ...others] = page.cameras;
    if (only && !others.length) this.look(only);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop();
  }

  protected override willUpdate(): void {
    // It is not begun again by itself: who stands there then may be somebody else.
    if (this.camera && !this.ended && this.hass && !this.hass.connected) {
      this.stop();
      this.ended = text(this.hass, "panel.offline");
    }
  }

  private look(camera: { camera_id: string; name: string }): void {
    this.stop();
    this.camera = camera;
    this.ended = undefined;
    this.instruction = undefined;
    this.taken = [];
    this.settled = 0;
    const turn = this.turn;
    this.hass.connection.addEventListener("disconnected", this.lost);
    this.unsubscribe = this.hass.connection.subscribeMessage<Said>(
      (said) => void this.hear(said, turn),
      { type: "familiar_faces/person/walk_up", person_id: this.page!.person_id, camera_id: camera.camera_id },
      { resubscribe: false },
    );
    this.unsubscribe.catch(async (error: unknown) => {
      const words = await refusal(this.hass, error);
      if (turn === this.turn) this.ended = words;
    });
  }

  /** Its number means something else in the next connection: to unsubscribe then would end that. */
  private readonly lost = (): void => {
    this.unsubscribe = undefined;
  };

  private stop(): void {
    this.turn += 1;
    this.hass?.connection.removeEventListener("disconnected", this.lost);
    const { unsubscribe } = this;
    this.unsubscribe = undefined;
    void unsubscribe?.then((end) => end()).catch(() => undefined);
    this.drop();
  }

  private drop(): void {
    if (this.seen) URL.revokeObjectURL(this.seen.address);
    this.seen = undefined;
  }

  private async hear(said: Said, turn: number): Promise<void> {
    const { hass, page } = this;
    if (said.type === "ended") {
      const words = await this.words(said);
      if (turn !== this.turn) return;
      this.stop();
      this.ended = words;
      return;
    }
    const localize = await hass.loadBackendTranslation("config_subentries", DOMAIN);
    if (turn !== this.turn) return;
    // The dialog says the same: what is to be done in bold, then why, then how far it is.
    const sentence = localize(`component.${DOMAIN}.config_subentries.person.progress.${said.hint}`, {
      name: page!.name,
      other: said.other,
      settled: String(said.settled),
      wanted: String(said.wanted),
    }).split("\n\n")[0]!;
    const [, bold, more] = /^\*\*(.+?)\*\*\s*(.*)$/s.exec(sentence) ?? [undefined, sentence, ""];
    this.instruction = { words: bold!, more: more!, hint: said.hint };
    this.settled = said.settled;
    this.wanted = said.wanted;
    this.taken = said.taken;
    if (said.shown) {
      const bytes = Uint8Array.from(atob(said.shown.picture), (each) => each.charCodeAt(0));
      const before = this.seen;
      this.seen = { ...said.shown, address: URL.createObjectURL(new Blob([bytes])) };
      if (before) URL.revokeObjectURL(before.address);
    }
  }

  private async words(said: { ended: string; taken: number; wanted: number }): Promise<string> {
    const say = await sentences(this.hass);
    return say("walk_up", said.ended, {
      name: this.page!.name,
      taken: String(said.taken),
      wanted: String(said.wanted),
    });
  }

  protected override render(): unknown {
    const { hass, page, camera } = this;
    if (!hass) return nothing;
    return html`<dialog
      class=${camera ? "all" : ""}
      aria-labelledby="title"
      @close=${() => {
        this.stop();
        this.page = this.camera = undefined;
      }}
    >
      ${page ? (camera ? this.looking(page, camera.name) : this.choice(page)) : nothing}
    </dialog>`;
  }

  private header(words: string): unknown {
    return html`<header>
      <button class="icon-button" aria-label=${text(this.hass, "panel.close")} @click=${() => this.dialog.close()}>
        ${icon(mdiClose)}
      </button>
      <h2 id="title">${words}</h2>
    </header>`;
  }

  private choice(page: Whose): unknown {
    return html`<div class="inside">
      ${this.header(text(this.hass, "walk_up.title", { name: page.name }))}
      <p class="plain-words">${text(this.hass, "walk_up.help", { name: page.name })}</p>
      <div class="cameras">
        ${page.cameras.map(
          (each) => html`<button class="tonal" @click=${() => this.look(each)}>${icon(mdiCctv)}${each.name}</button>`,
        )}
      </div>
    </div>`;
  }

  private looking(page: Whose, camera: string): unknown {
    const { hass, instruction, ended } = this;
    return html`<div class="stage">
      ${this.header(`${text(hass, "walk_up.title", { name: page.name })} · ${camera}`)}
      <div class="view">
        ${this.seen ? this.picture(this.seen) : html`<div class="none">${icon(mdiCctv)}</div>`}
        ${ended ? nothing : this.arrow(instruction?.hint)}
        <div class="said">
          <p class="words" aria-live="assertive">
            ${ended ?? instruction?.words ?? text(hass, "walk_up.begins")}
          </p>
          ${!ended && instruction?.more ? html`<p>${instruction.more}</p>` : nothing}
        </div>
      </div>
      <footer>
        <ul aria-label=${text(hass, "walk_up.taken_photos")}>
          ${Array.from({ length: this.wanted }, (_, index) => this.place(page, index))}
        </ul>
        <div class="count">
          <strong>${text(hass, "walk_up.settled", { settled: this.settled, wanted: this.wanted })}</strong>
          <span>${text(hass, "walk_up.kept")}</span>
        </div>
        ${ended
          ? html`<div class="actions">
              <button class="tonal" @click=${() => this.look(this.camera!)}>${text(hass, "walk_up.again")}</button>
              <button class="filled" @click=${() => this.dialog.close()}>${text(hass, "panel.done")}</button>
            </div>`
          : nothing}
      </footer>
    </div>`;
  }

  private place(page: Whose, index: number): unknown {
    const taken = this.taken[index];
    return html`<li class=${taken ? "taken" : index < this.settled ? "taken here" : ""}>
      ${taken
        ? html`<familiar-faces-face
            square
            .hass=${this.hass}
            .name=${page.name}
            .photo=${photoPath(page.person_id, taken)}
            .said=${text(this.hass, "walk_up.photo", { number: index + 1 })}
          ></familiar-faces-face>`
        : icon(mdiCameraOutline)}
    </li>`;
  }

  /** As in a mirror: the person's left is on the left. */
  private arrow(hint: string | undefined): unknown {
    if (hint !== "turn_left" && hint !== "turn_right") return nothing;
    return html`<div class="arrow ${hint}">${icon(hint === "turn_left" ? mdiArrowLeft : mdiArrowRight)}</div>`;
  }

  private picture(seen: Seen): unknown {
    const [width, height] = seen.size;
    const line = Math.max(width, height) * 0.005;
    return html`<svg
      class="mirrored"
      viewBox="0 0 ${width} ${height}"
      role="img"
      aria-label=${text(this.hass, "walk_up.picture", { camera: this.camera!.name })}
    >
      ${svg`<image
          href=${seen.address}
          transform=${upright(seen.turn, width, height)}
          width=${seen.turn % 180 ? height : width}
          height=${seen.turn % 180 ? width : height}
          preserveAspectRatio="none"
        ></image>
        ${seen.faces.map(
          ([x, y, across, down]) =>
            svg`<rect x=${x} y=${y} width=${across} height=${down} rx=${line * 2} stroke-width=${line}></rect>`,
        )}`}
    </svg>`;
  }

  static override styles = [
    shared,
    dialogs,
    css`
      .plain-words {
        margin: 0;
      }
      .cameras {
        display: grid;
        gap: 8px;
      }
      /* Dark, as a screen that is looked at from three metres away, in every theme. */
      dialog.all {
        width: 100vw;
        height: 100dvh;
        max-width: none;
        max-height: none;
        border-radius: 0;
        color: #fff;
        background: #000;
      }
      .stage {
        --ff-line: rgba(255, 255, 255, 0.3);
        display: flex;
        flex-direction: column;
        height: 100%;
      }
      .stage header {
        padding: 8px 12px;
      }
      .stage .icon-button {
        color: #fff;
      }
      .view {
        position: relative;
        flex: 1;
        min-height: 0;
        display: grid;
        place-items: center;
        overflow: hidden;
      }
      .none svg {
        width: 64px;
        height: 64px;
        opacity: 0.5;
      }
      .mirrored {
        width: 100%;
        height: 100%;
        transform: scaleX(-1);
      }
      .mirrored rect {
        fill: none;
        stroke: #43a047;
      }
      .arrow {
        position: absolute;
        top: calc(50% - 48px);
        width: 96px;
        height: 96px;
        border-radius: 50%;
        display: grid;
        place-items: center;
        background: rgba(0, 0, 0, 0.6);
      }
      .arrow svg {
        width: 56px;
        height: 56px;
      }
      .turn_left {
        left: 12%;
      }
      .turn_right {
        right: 12%;
      }
      .said {
        position: absolute;
        inset: auto 0 0;
        padding: 56px 24px 24px;
        text-align: center;
        font-size: clamp(16px, 2vw, 22px);
        line-height: 1.35;
        background: linear-gradient(transparent, rgba(0, 0, 0, 0.85) 45%);
      }
      .said p {
        margin: 0 auto;
        max-width: 40ch;
      }
      .words {
        font-size: clamp(28px, 4.5vw, 56px);
        line-height: 1.15;
        font-weight: 500;
        max-width: 24ch;
      }
      .stage footer {
        justify-content: center;
        padding: 12px 16px;
        gap: 16px;
      }
      ul {
        display: flex;
        gap: 12px;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        --ff-face: 68px;
        width: 68px;
        height: 68px;
        border: 2px dashed rgba(255, 255, 255, 0.6);
        border-radius: 12px;
        display: grid;
        place-items: center;
        overflow: hidden;
      }
      li.taken {
        border: 2px solid #66bb6a;
      }
      .count {
        display: grid;
      }
      .count span {
        font-size: 12px;
        opacity: 0.85;
      }
      .actions {
        display: flex;
        gap: 8px;
      }
    `,
  ];
}

define("familiar-faces-walk-up", WalkUp);
