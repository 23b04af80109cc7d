// The tab People: who said yes, to what, and who is invited.

import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import "../face";
import { DOMAIN, type Hass, attempt, define, navigate } from "../ha";
import { icon, mdiAccountGroupOutline, mdiAccountPlusOutline, mdiQrcode } from "../icons";
import { failed, instead } from "../state";
import { dialogs, shared } from "../styles";
import { lastDay, lastMonth, text, when } from "../text";
import { Topic } from "../topic";
import "./invite-dialog";
import type { InviteDialog } from "./invite-dialog";
import { type Invitation, type People, type Tile, photoPath } from "./model";
import "./person";
import { pages } from "./styles";

/** From how many people on there is a field to search them. */
const MANY = 6;

export class PeopleTab extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  /** Whose page is shown; all people without one. */
  @property({ attribute: false }) person: string | undefined;
  @property({ attribute: false }) down = false;
  @property({ type: Boolean, reflect: true }) narrow = false;
  @state() private sought = "";
  @state() private refused: string | undefined;
  @query("familiar-faces-invite") private invite!: InviteDialog;
  private readonly topic = new Topic<People>(this);

  protected override willUpdate(): void {
    if (!this.hass || !this.isConnected) return;
    if (this.person) this.topic.stop();
    else this.topic.follow(this.hass, { type: "familiar_faces/people/subscribe" });
  }

  protected override render(): unknown {
    const { hass, topic } = this;
    if (!hass) return nothing;
    if (this.person) {
      return html`<familiar-faces-person
        inside
        .hass=${hass}
        .person=${this.person}
        .down=${this.down}
        ?narrow=${this.narrow}
      ></familiar-faces-person>`;
    }
    const other = instead(hass, topic, "", () => {
      topic.stop();
      this.requestUpdate();
    });
    const said = topic.said;
    return html`
      ${other ?? (said ? this.content(said) : nothing)}
      <familiar-faces-invite
        .hass=${hass}
        .open=${said?.invitations.map((each) => each.invitation_id) ?? []}
      ></familiar-faces-invite>
    `;
  }

  private content(said: People): unknown {
    const { hass, topic } = this;
    const words = this.sought.trim().toLocaleLowerCase();
    const found = said.people.filter((each) => each.name.toLocaleLowerCase().includes(words));
    const old = !hass.connected || topic.status !== "ready";
    return html`${failed(hass, topic)}
      <div class="bar">
        <button class="filled" @click=${() => this.invite.show()}>${icon(mdiQrcode)}${text(hass, "people.invite")}</button>
        <button class="tonal" @click=${() => navigate(`/config/integrations/integration/${DOMAIN}`)}>
          ${icon(mdiAccountPlusOutline)}${text(hass, "people.add")}
        </button>
        ${said.people.length >= MANY
          ? html`<input
              class="field"
              type="search"
              aria-label=${text(hass, "people.search")}
              placeholder=${text(hass, "people.search")}
              .value=${this.sought}
              @input=${(event: InputEvent) => (this.sought = (event.target as HTMLInputElement).value)}
            />`
          : nothing}
      </div>
      ${this.refused
        ? html`<p class="note bad" role="alert">${text(hass, "panel.refused", { reason: this.refused })}</p>`
        : nothing}
      ${said.people.length || said.invitations.length
        ? nothing
        : html`<div class="empty card">
            ${icon(mdiAccountGroupOutline)}
            <p>${text(hass, "people.none")}</p>
            <p class="second">${text(hass, "people.none_help")}</p>
          </div>`}
      ${words && !found.length ? html`<p class="second" role="status">${text(hass, "people.no_match")}</p>` : nothing}
      <ul class=${old ? "tiles old" : "tiles"}>
        ${repeat(found, (each) => each.person_id, (each) => html`<li>${this.tile(each)}</li>`)}
        ${words
          ? nothing
          : repeat(said.invitations, (each) => each.invitation_id, (each) => html`<li>${this.invitation(each, said.people)}</li>`)}
      </ul>
      ${said.people.some((each) => !each.face)
        ? html`<p class="second letters">${text(hass, "people.letter_note")}</p>`
        : nothing}`;
  }

  private tile(tile: Tile): unknown {
    const { hass } = this;
    const path = `/familiar-faces/people/${encodeURIComponent(tile.person_id)}`;
    return html`<a
      class="card tile"
      href=${path}
      @click=${(event: MouseEvent) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        navigate(path);
      }}
    >
      <familiar-faces-face
        .hass=${hass}
        .name=${tile.name}
        .photo=${tile.face ? photoPath(tile.person_id, tile.face) : undefined}
      ></familiar-faces-face>
      <strong>${tile.name}</strong>
      <span class="second">${this.seen(tile)}</span>
      ${this.state(tile)}
    </a>`;
  }

  private seen(tile: Tile): string {
    const { hass } = this;
    if (tile.silent) return text(hass, "people.silent", { name: tile.name });
    if (!tile.last) return text(hass, "people.not_seen");
    const camera = tile.last.camera ?? text(hass, "visit.at_a_camera");
    return tile.here
      ? text(hass, "people.here", { camera })
      : text(hass, "people.seen", { when: when(hass, tile.last.at), camera });
  }

  private state(tile: Tile): unknown {
    const { hass } = this;
    const until = tile.until ?? "";
    if (tile.state === "active") {
      const day = lastMonth(hass, until);
      return html`<span class="tag">${text(hass, tile.child ? "people.child_until" : "people.until", { day })}</span>`;
    }
    if (tile.state === "expiring") {
      return html`<span class="tag fairly">${text(hass, "people.ends", { day: lastDay(hass, until) })}</span>`;
    }
    return html`<span class="tag fairly">${text(hass, "people.ended")}</span>`;
  }

  private invitation(invitation: Invitation, people: Tile[]): unknown {
    const { hass } = this;
    const name = people.find((each) => each.person_id === invitation.person_id)?.name ?? text(hass, "people.somebody_new");
    return html`<div class="card tile invited">
      <div class="sign">${icon(mdiQrcode)}</div>
      <strong>${name}</strong>
      <span class="second">${text(hass, "people.invited")}</span>
      <span class="tag said">${text(hass, "people.open_until", { time: when(hass, invitation.until) })}</span>
      <button class="link" @click=${() => this.close(invitation)}>${text(hass, "people.close")}</button>
    </div>`;
  }

  private async close(invitation: Invitation): Promise<void> {
    this.refused = await attempt(this.hass, () =>
      this.hass.callWS({ type: "familiar_faces/person/uninvite", invitation_id: invitation.invitation_id }),
    );
  }

  static override styles = [
    shared,
    dialogs,
    pages,
    css`
      :host {
        --ff-face: 88px;
      }
      .bar {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        align-items: center;
        padding: 8px 0 16px;
      }
      .bar .field {
        margin-inline-start: auto;
        padding: 9px 12px;
      }
      .tiles {
        margin: 0;
        padding: 0;
        list-style: none;
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(170px, 1fr));
        gap: 12px;
      }
      :host([narrow]) .tiles {
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: 8px;
      }
      .tile {
        display: grid;
        justify-items: center;
        align-content: start;
        gap: 4px;
        height: 100%;
        box-sizing: border-box;
        padding: 20px 8px 16px;
        text-align: center;
        color: inherit;
        text-decoration: none;
      }
      a.tile:hover {
        background: color-mix(in srgb, var(--primary-text-color) 4%, var(--card-background-color));
      }
      .tile strong {
        margin-top: 6px;
        font-size: 16px;
        line-height: 22px;
        font-weight: 500;
        overflow-wrap: anywhere;
      }
      .tile .tag {
        margin-top: 4px;
        white-space: normal;
        text-wrap: balance;
      }
      .invited {
        border-style: dashed;
      }
      .sign {
        width: 86px;
        height: 86px;
        border-radius: 50%;
        border: 1px dashed var(--ff-muted);
        color: var(--ff-muted);
        display: grid;
        place-items: center;
      }
      .sign svg {
        width: 36px;
        height: 36px;
      }
      .letters {
        margin: 12px 4px;
      }
    `,
  ];
}

define("familiar-faces-people", PeopleTab);
