// An invitation, or somebody's personal link: a code to scan, and the address to copy and to share.

import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { type Hass, define, refusal } from "../ha";
import { icon, mdiAlertOutline, mdiClockOutline, mdiClose, mdiContentCopy, mdiShareVariant } from "../icons";
import { dialogs, shared } from "../styles";
import { text, when } from "../text";

interface Made {
  url: string;
  qr: string;
  invitation_id?: string;
  until?: string;
}

export interface Invitee {
  person_id: string;
  name: string;
}

export class InviteDialog extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  /** The ids of the invitations that are open. */
  @property({ attribute: false }) open: string[] = [];
  @state() private invitee: Invitee | undefined;
  @state() private personal = false;
  @state() private made: Made | undefined;
  @state() private refused: string | undefined;
  @state() private copied = false;
  @state() private seen = false;
  @query("dialog") private dialog!: HTMLDialogElement;

  /** Invite somebody new, or somebody who is here to renew; or make the personal link of somebody. */
  async show(invitee?: Invitee, personal = false): Promise<void> {
    this.invitee = invitee;
    this.personal = personal;
    this.made = undefined;
    this.refused = undefined;
    this.copied = this.seen = false;
    await this.updateComplete;
    this.dialog.showModal();
    // The link that they have stops working: that is asked first.
    if (!personal) await this.make();
  }

  protected override willUpdate(): void {
    if (this.made?.invitation_id && this.open.includes(this.made.invitation_id)) this.seen = true;
  }

  private async make(): Promise<void> {
    const person = this.invitee ? { person_id: this.invitee.person_id } : {};
    try {
      this.made = await this.hass.callWS<Made>({
        type: this.personal ? "familiar_faces/person/link" : "familiar_faces/person/invite",
        ...person,
      });
      this.refused = undefined;
    } catch (error) {
      this.refused = await refusal(this.hass, error);
    }
  }

  protected override render(): unknown {
    const { hass, invitee, made } = this;
    if (!hass) return nothing;
    const name = invitee?.name ?? "";
    const title = this.personal
      ? text(hass, "invite.title_link", { name })
      : invitee
        ? text(hass, "invite.title_renew", { name })
        : text(hass, "invite.title");
    return html`<dialog aria-labelledby="title" @close=${() => (this.made = undefined)}>
      <div class="inside">
        <header>
          <button class="icon-button" aria-label=${text(hass, "panel.close")} @click=${() => this.dialog.close()}>
            ${icon(mdiClose)}
          </button>
          <h2 id="title">${title}</h2>
        </header>
        ${this.refused
          ? html`<p class="note bad" role="alert">${text(hass, "panel.refused", { reason: this.refused })}</p>`
          : nothing}
        ${this.personal && !made
          ? html`<p class="note warn">${icon(mdiAlertOutline)}<span>${text(hass, "invite.link_sure", { name })}</span></p>`
          : nothing}
        ${made ? this.link(made, name) : nothing}
        <footer>
          ${made?.invitation_id && !this.answered
            ? html`<button class="link" @click=${this.close}>${text(hass, "people.close")}</button>`
            : nothing}
          ${this.personal && !made
            ? html`<button class="filled" @click=${this.make}>${text(hass, "invite.link_make")}</button>`
            : html`<button class="filled" @click=${() => this.dialog.close()}>${text(hass, "panel.done")}</button>`}
        </footer>
      </div>
    </dialog>`;
  }

  /** Whether it was listed as open, and is not any longer. */
  private get answered(): boolean {
    return this.seen && !this.open.includes(this.made?.invitation_id ?? "");
  }

  private link(made: Made, name: string): unknown {
    const { hass } = this;
    const help = this.personal ? "invite.help_link" : this.invitee ? "invite.help_renew" : "invite.help";
    return html`<div class="both">
        <img src=${made.qr} alt=${text(hass, "invite.qr")} />
        <div class="words">
          <p>${text(hass, help, { name })}</p>
          ${made.until
            ? html`<p class="plain">${icon(mdiClockOutline)}${text(hass, "invite.once", { time: when(hass, made.until) })}</p>
                <p class="second" role="status">${text(hass, this.answered ? "invite.answered" : "invite.open")}</p>`
            : nothing}
        </div>
      </div>
      <input class="field" readonly aria-label=${text(hass, "invite.address")} .value=${made.url} />
      <div class="actions">
        <button class="tonal" @click=${this.copy}>
          ${icon(mdiContentCopy)}${text(hass, this.copied ? "invite.copied" : "invite.copy")}
        </button>
        <span class="visually-hidden" role="status">${this.copied ? text(hass, "invite.copied") : ""}</span>
        ${"share" in navigator
          ? html`<button class="tonal" @click=${() => void navigator.share({ url: made.url }).catch(() => undefined)}>
              ${icon(mdiShareVariant)}${text(hass, "invite.share")}
            </button>`
          : nothing}
      </div>`;
  }

  /** Without an encrypted connection browsers have no clipboard of their own. */
  private copy(): void {
    const field = this.renderRoot.querySelector<HTMLInputElement>(".field")!;
    field.select();
    this.copied = document.execCommand("copy");
  }

  private async close(): Promise<void> {
    try {
      await this.hass.callWS({ type: "familiar_faces/person/uninvite", invitation_id: this.made!.invitation_id });
      this.dialog.close();
    } catch (error) {
      this.refused = await refusal(this.hass, error);
    }
  }

  static override styles = [
    shared,
    dialogs,
    css`
      .both {
        display: flex;
        gap: 16px;
        flex-wrap: wrap;
      }
      .both img {
        width: 200px;
        height: 200px;
        border-radius: 12px;
        border: 1px solid var(--ff-line);
        background: #fff;
      }
      .words {
        flex: 1 1 200px;
      }
      .words p {
        margin: 0 0 12px;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
    `,
  ];
}

define("familiar-faces-invite", InviteDialog);
