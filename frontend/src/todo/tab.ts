// The tab To do: what waits for an administrator, each with one step.

import { LitElement, type PropertyValues, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { DOMAIN, type Hass, attempt, define, navigate } from "../ha";
import {
  icon,
  mdiAlertCircleOutline,
  mdiCctv,
  mdiCheck,
  mdiCheckCircle,
  mdiClipboardCheckOutline,
  mdiQrcode,
} from "../icons";
import type { Now, SetUp, Todo } from "../model";
import type { Invitation, People } from "../people/model";
import { shared } from "../styles";
import { type Key, text, when } from "../text";
import { Topic } from "../topic";
import { lately } from "../visits/now";
import { Words } from "../words";

/** Descriptions of repairs are Markdown: their first paragraph is shown as plain text. */
export function plain(markdown: string): string {
  const first = markdown.split("\n\n")[0] ?? "";
  return first.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[*`]/g, "");
}

const STEPS = ["engine", "camera", "person", "name"] as const;
const ENTRY = `/config/integrations/integration/${DOMAIN}`;

export class TodoTab extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) now: Now | undefined;
  @state() private localize: Hass["localize"] | undefined;
  @state() private refused: string | undefined;
  private language: string | undefined;
  private readonly words = new Words(() => this.requestUpdate());
  private readonly people = new Topic<People>(this);

  protected override willUpdate(_changed: PropertyValues): void {
    if (!this.hass || !this.isConnected) return;
    this.words.load(this.hass);
    this.people.follow(this.hass, { type: "familiar_faces/people/subscribe" });
    if (this.language === this.hass.language) return;
    this.language = this.hass.language;
    void this.hass.loadBackendTranslation("issues", DOMAIN).then((localize) => (this.localize = localize));
  }

  protected override render(): unknown {
    const { hass, now } = this;
    if (!hass || !now) return nothing;
    const needed = now.todo.filter((each) => each.kind === "issue" || (each.kind === "step" && !now.setup));
    const better = now.todo.filter((each) => each.kind === "better");
    const invitations = this.people.said?.invitations ?? [];
    return html`${this.refused
        ? html`<p class="bad" role="alert">${text(hass, "panel.refused", { reason: this.refused })}</p>`
        : nothing}
      <div class=${hass.connected ? "" : "old"}>
      ${now.setup ? this.setup(now, now.setup) : nothing}
      ${needed.length
        ? this.group("needs_you", needed, (each) => each.id, (each) => (each.kind === "issue" ? this.issue(each) : this.step(each)))
        : now.setup
          ? nothing
          : html`<div class="empty good card">
              ${icon(mdiCheckCircle)}
              <p>${text(hass, "todo.none")}</p>
              <p class="second">${text(hass, "todo.none_help")}</p>
            </div>`}
      ${this.group("invitations", invitations, (each) => each.invitation_id, (each) => this.invitation(each))}
      ${this.group("better", better, (each) => each.id, (each) => this.better(each))}
      </div>`;
  }

  private group<T>(name: "needs_you" | "invitations" | "better", all: T[], id: (of: T) => string, row: (of: T) => unknown): unknown {
    if (!all.length) return nothing;
    return html`<section aria-labelledby=${name}>
      <h2 id=${name}>${text(this.hass, `todo.${name}`)}</h2>
      <ul class="card">
        ${repeat(all, id, row)}
      </ul>
    </section>`;
  }

  private row(kind: string, path: string, title: string, help: unknown, actions: unknown): unknown {
    return html`<li>
      <span class="sign ${kind}">${icon(path)}</span>
      <div>
        <h3>${title}</h3>
        <p class="second">${help}</p>
        ${actions === nothing ? nothing : html`<div class="actions">${actions}</div>`}
      </div>
    </li>`;
  }

  private go(path: string, words: string): unknown {
    return html`<button class="tonal" @click=${() => navigate(path)}>${words}</button>`;
  }

  // What is still to be set up

  private setup(now: Now, steps: SetUp): unknown {
    const { hass } = this;
    const done = STEPS.filter((each) => steps[each]).length;
    return html`<section class="card setup" aria-labelledby="setup">
      <header>
        <h2 id="setup">${text(hass, "todo.setup")}</h2>
        <span class="second">${text(hass, "todo.setup_done", { done, count: STEPS.length })}</span>
      </header>
      <progress aria-labelledby="setup" max=${STEPS.length} value=${done}></progress>
      <ol>
        ${STEPS.map((each, index) => this.setupStep(now, each, index + 1, steps[each]))}
      </ol>
    </section>`;
  }

  private setupStep(now: Now, step: (typeof STEPS)[number], number: number, done: boolean): unknown {
    const { hass } = this;
    // What is not there yet has its one step; the name comes last, and by itself.
    const ready = now.setup!.engine && now.setup!.camera && now.setup!.person;
    const actions = {
      engine: () => this.go("/config/repairs", text(hass, "todo.open")),
      camera: () => this.go(ENTRY, text(hass, "todo.no_camera_do")),
      person: () => this.go("/familiar-faces/people", text(hass, "todo.no_person_do")),
      name: () => (ready ? this.go("/familiar-faces/cameras", text(hass, "todo.see_camera")) : nothing),
    };
    const last = step === "name" && ready ? now.cameras.filter((each) => each.last) : [];
    return html`<li class=${done ? "done" : ""}>
      <span class="sign ${done ? "good" : "number"}">${done ? icon(mdiCheck) : number}</span>
      <div>
        <h3>
          ${text(hass, `todo.setup_${step}`)}${done
            ? html`<span class="visually-hidden"> (${text(hass, "panel.done")})</span>`
            : nothing}
        </h3>
        ${done ? nothing : html`<p class="second">${text(hass, `todo.setup_${step}_help`)}</p>`}
        ${last.map((each) => html`<p class="second" role="status">${each.name} · ${lately(hass, each)}</p>`)}
        ${done || actions[step]() === nothing ? nothing : html`<div class="actions">${actions[step]()}</div>`}
      </div>
    </li>`;
  }

  // What waits

  private issue(todo: Todo): unknown {
    const { hass, localize } = this;
    const said = (part: string) => localize?.(`component.${DOMAIN}.issues.${todo.key}.${part}`, todo.values) ?? "";
    const step = todo.person_id
      ? this.go(`/familiar-faces/people/${encodeURIComponent(todo.person_id)}`, text(hass, "todo.see_person"))
      : todo.camera_id
        ? this.go("/familiar-faces/cameras", text(hass, "todo.see_camera"))
        : this.go("/config/repairs", text(hass, "todo.open"));
    return this.row(
      "warn",
      mdiAlertCircleOutline,
      said("title"),
      plain(said("description")),
      html`${step}<button class="link" @click=${() => this.putOff(todo)}>${text(hass, "todo.later")}</button>`,
    );
  }

  private step(todo: Todo): unknown {
    const { hass } = this;
    return this.row(
      "warn",
      mdiClipboardCheckOutline,
      text(hass, `todo.${todo.key}` as Key, todo.values),
      text(hass, `todo.${todo.key}_help` as Key),
      this.go(ENTRY, text(hass, `todo.${todo.key}_do` as Key)),
    );
  }

  private invitation(invitation: Invitation): unknown {
    const { hass } = this;
    const name = this.people.said?.people.find((each) => each.person_id === invitation.person_id)?.name;
    const close = () =>
      void this.ask({ type: "familiar_faces/person/uninvite", invitation_id: invitation.invitation_id });
    return this.row(
      "said",
      mdiQrcode,
      name === undefined ? text(hass, "todo.invitation_new") : text(hass, "todo.invitation", { name }),
      text(hass, "people.open_until", { time: when(hass, invitation.until) }),
      html`<button class="link" @click=${close}>${text(hass, "people.close")}</button>`,
    );
  }

  private better(todo: Todo): unknown {
    return this.row(
      "plain",
      mdiCctv,
      todo.values["camera"] ?? "",
      this.words.say("fitness_advice", todo.key, todo.values),
      this.go("/familiar-faces/cameras", text(this.hass, "todo.see_camera")),
    );
  }

  /** Home Assistant itself keeps which repairs are put off; they come back with its next release. */
  private async putOff(todo: Todo): Promise<void> {
    await this.ask({ type: "repairs/ignore_issue", domain: DOMAIN, issue_id: todo.id, ignore: true });
  }

  private async ask(message: object): Promise<void> {
    this.refused = await attempt(this.hass, () => this.hass.callWS(message));
  }

  static override styles = [
    shared,
    css`
      :host {
        display: block;
        max-width: 760px;
        margin: 0 auto;
        padding: 12px 16px 32px;
      }
      h2 {
        margin: 0;
        padding: 16px 4px 8px;
        font-size: 14px;
        line-height: 20px;
        font-weight: 500;
        color: var(--ff-muted);
      }
      ul,
      ol {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        gap: 16px;
        padding: 16px;
      }
      li + li {
        border-top: 1px solid var(--ff-line);
      }
      h3 {
        margin: 0;
        font-size: 16px;
        line-height: 24px;
        font-weight: 500;
      }
      p {
        margin: 2px 0 0;
      }
      .setup {
        margin-top: 12px;
      }
      .setup header {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        justify-content: space-between;
        gap: 4px 12px;
        padding: 16px 16px 8px;
      }
      .setup h2 {
        padding: 0;
        font-size: 20px;
        line-height: 28px;
        font-weight: 400;
        color: inherit;
      }
      progress {
        display: block;
        box-sizing: border-box;
        width: calc(100% - 32px);
        height: 6px;
        margin: 0 16px 8px;
        border: 0;
        border-radius: 3px;
        overflow: hidden;
        background: var(--ff-soft);
      }
      progress::-webkit-progress-bar {
        background: var(--ff-soft);
      }
      progress::-webkit-progress-value {
        background: var(--primary-color);
      }
      progress::-moz-progress-bar {
        background: var(--primary-color);
      }
      .done h3 {
        line-height: 40px;
      }
      .sign {
        width: 40px;
        height: 40px;
        border-radius: 50%;
        display: grid;
        place-items: center;
        flex: none;
        background: var(--ff-soft);
        color: var(--ff-muted);
      }
      .sign.warn {
        background: color-mix(in srgb, var(--warning-color, #ffa600) 16%, transparent);
        color: var(--ff-warn);
      }
      .sign.good {
        background: color-mix(in srgb, var(--success-color, #43a047) 16%, transparent);
        color: var(--ff-good);
      }
      .sign.said,
      .sign.number {
        background: color-mix(in srgb, var(--primary-color) 14%, transparent);
        color: var(--ff-link);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        margin-top: 10px;
      }
      .actions .link:first-child {
        margin-inline-start: -8px;
      }
      .bad {
        color: var(--ff-bad);
        padding: 4px;
      }
    `,
  ];
}

define("familiar-faces-todo", TodoTab);
