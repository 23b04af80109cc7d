// The tab Privacy: what is kept and where it goes, and whether that is true.

import { LitElement, type PropertyValues, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { DOMAIN, type Hass, attempt, define, download, navigate, refusal } from "../ha";
import {
  icon,
  mdiAlertCircleOutline,
  mdiCheckCircle,
  mdiDeleteOutline,
  mdiDownload,
  mdiQrcode,
  mdiShieldCheckOutline,
  mdiTune,
} from "../icons";
import { Loaded } from "../loaded";
import type { Now } from "../model";
import { shared } from "../styles";
import { type Key, bytes, duration, keyed, lasting, moment, period, text, when } from "../text";
import type { AuditEntry, Receipt, Summary, Verified } from "./model";

const ENTRIES = 5;
const MOST_ENTRIES = 1000;
/** Milliseconds for which changes are gathered. */
const TOGETHER = 2_000;
const PERIODS = ["consent", "child_consent", "visits", "pictures", "review", "counts", "unseen", "invitation", "audit"] as const;
const PAPERS = [
  ["notice", "notice"],
  ["sign", "sign"],
  ["policy", "policy"],
  ["model", "model_card"],
] as const;

/** What happens without anybody. */
const BY_ITSELF = new Set(["purged", "consent_expired", "enrolment_abandoned", "forgotten_everywhere", "restored"]);
/** The steps of the options in which settings are chosen. */
const SETTINGS = ["notice", "retention", "strictness"];

export class PrivacyTab extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) now: Now | undefined;
  @state() private said: string | undefined;
  @state() private refused: string | undefined;
  @state() private notClosed: string | undefined;
  @state() private notFetched: string | undefined;
  @state() private limit = ENTRIES;
  private readonly again = (): void => this.requestUpdate();
  private readonly summary = new Loaded<Summary>(this.again);
  private readonly audit = new Loaded<{ entries: AuditEntry[]; more: boolean }>(this.again);
  private readonly receipts = new Loaded<{ receipts: Receipt[] }>(this.again);
  private readonly verified = new Loaded<Verified>(this.again);
  private asked = false;
  private localize: Hass["localize"] | undefined;
  private soon: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.soon);
    this.soon = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!this.hass) return;
    const { summary } = this;
    if (!this.asked) {
      this.asked = true;
      void this.hass.loadBackendTranslation("options", DOMAIN).then((localize) => {
        this.localize = localize;
        this.again();
      });
    }
    if (!summary.value && !summary.loading && !summary.error) this.load();
    else if (changed.has("now")) this.soon ??= setTimeout(this.load, TOGETHER);
  }

  private readonly load = (): void => {
    clearTimeout(this.soon);
    this.soon = undefined;
    const { hass } = this;
    const language = (hass.locale.language.split("-")[0] ?? "en").replace(/^(?!de|nl).*$/, "en");
    void this.summary.load(hass, { type: "familiar_faces/privacy/summary", language });
    void this.audit.load(hass, { type: "familiar_faces/privacy/audit", limit: this.limit });
    void this.receipts.load(hass, { type: "familiar_faces/privacy/receipts" });
  };

  protected override render(): unknown {
    const { hass, summary } = this;
    if (!hass) return nothing;
    const failed = this.failed(summary);
    const { value } = summary;
    if (!value) {
      return failed === nothing
        ? html`<div class="skeleton card" role="status" aria-label=${text(hass, "panel.loading")}></div>`
        : failed;
    }
    return html`${failed}
      <div class="columns ${summary.error || !hass.connected ? "old" : ""}">
        <div>${this.stored(value)} ${this.log(value)} ${this.links(value)} ${this.erased()}</div>
        <div>${this.engine(value)} ${this.connections(value)} ${this.papers(value)} ${this.periods(value)}</div>
      </div>`;
  }

  private failed(loaded: Loaded<unknown>): unknown {
    if (!loaded.error) return nothing;
    return html`<div class="empty card" role="alert">
      ${icon(mdiAlertCircleOutline)}
      <p>${text(this.hass, "panel.loading_failed", { reason: loaded.error })}</p>
      <button class="tonal" @click=${this.load}>${text(this.hass, "panel.try_again")}</button>
    </div>`;
  }

  private card(heading: Key, content: unknown, mark: unknown = nothing): unknown {
    return html`<section class="card">
      <header><h2>${text(this.hass, heading)}</h2>${mark}</header>
      ${content}
    </section>`;
  }

  private row(name: string, value: unknown): unknown {
    return html`<div class="row"><dt>${name}</dt><dd>${value}</dd></div>`;
  }

  // What is kept

  private stored(value: Summary): unknown {
    const { hass } = this;
    const { stored, oldest, periods } = value;
    const tiles = (["people", "photos", "visits", "pictures"] as const).map(
      (each) => html`<div><dt>${text(hass, `privacy.stored_${each}`)}</dt><dd>${this.number(stored[each])}</dd></div>`,
    );
    const review = periods["review"]
      ? text(hass, "privacy.review_value", { count: stored.review, period: period(hass, periods["review"]) })
      : text(hass, "privacy.review_off");
    return this.card(
      "privacy.stored",
      html`<dl class="tiles">${tiles}</dl>
        <dl>
          ${this.row(text(hass, "privacy.size"), bytes(hass, stored.bytes))}
          ${this.row(text(hass, "privacy.oldest_visit"), this.moment(oldest.visit))}
          ${this.row(text(hass, "privacy.oldest_picture"), this.moment(oldest.picture))}
          ${this.row(text(hass, "privacy.review"), review)}
          ${this.row(
            text(hass, "privacy.weeks"),
            text(hass, "privacy.review_value", { count: this.number(value.weeks), period: period(hass, periods["counts"] ?? 0) }),
          )}
          ${this.row(text(hass, "privacy.strangers"), text(hass, "privacy.strangers_nothing"))}
          ${this.row(
            text(hass, "privacy.next_purge"),
            value.next_purge ? when(hass, value.next_purge) : text(hass, "privacy.nothing_due"),
          )}
        </dl>
        ${this.said ? html`<p role="status">${this.said}</p>` : nothing}
        ${this.refused ? html`<p class="bad" role="alert">${text(hass, "panel.refused", { reason: this.refused })}</p>` : nothing}
        <div class="actions">
          <button class="link" @click=${this.purge}>${icon(mdiDeleteOutline)} ${text(hass, "privacy.purge")}</button>
          <button class="link" @click=${this.options}>${icon(mdiTune)} ${text(hass, "privacy.options")}</button>
        </div>`,
    );
  }

  private readonly purge = async (): Promise<void> => {
    const { hass } = this;
    try {
      const answer = await hass.callWS<{ response: Record<string, number> }>({
        type: "call_service",
        domain: DOMAIN,
        service: "purge",
        service_data: {},
        return_response: true,
      });
      const what = this.counted(answer.response);
      this.said = what ? text(hass, "privacy.purged", { what }) : text(hass, "privacy.purged_nothing");
      this.refused = undefined;
    } catch (error) {
      this.said = undefined;
      this.refused = await refusal(hass, error);
    }
    this.load();
  };

  private readonly options = (): void => navigate(`/config/integrations/integration/${DOMAIN}`);

  private periods(value: Summary): unknown {
    const { hass } = this;
    return this.card(
      "privacy.periods",
      html`<dl>
        ${PERIODS.map((each) => {
          const seconds = value.periods[each] ?? 0;
          return this.row(text(hass, `period.${each}`), seconds ? period(hass, seconds) : text(hass, "period.not_stored"));
        })}
      </dl>`,
    );
  }

  // The audit log

  private log(value: Summary): unknown {
    const { hass, audit } = this;
    const entries = audit.value?.entries ?? [];
    return this.card(
      "privacy.audit",
      html`${this.failed(audit)} ${this.verdict(this.verified.value ?? value.verified)}
        <p class="second">${text(hass, "privacy.audit_names")}</p>
        ${audit.value && !entries.length ? html`<p>${text(hass, "privacy.audit_none")}</p>` : nothing}
        <ul class="log">
          ${entries.map((each) => this.entry(each))}
        </ul>
        <div class="actions">
          ${audit.value?.more && this.limit < MOST_ENTRIES
            ? html`<button class="link" @click=${this.more}>${text(hass, "privacy.show_more")}</button>`
            : nothing}
          <button class="link" ?disabled=${this.verified.loading} @click=${this.verify}>
            ${icon(mdiShieldCheckOutline)} ${text(hass, "privacy.verify")}
          </button>
          <button class="link" @click=${this.fetch}>${icon(mdiDownload)} ${text(hass, "privacy.download")}</button>
        </div>
        ${this.notFetched
          ? html`<p class="bad" role="alert">${text(hass, "panel.refused", { reason: this.notFetched })}</p>`
          : nothing}`,
    );
  }

  private verdict(verified: Verified | null): unknown {
    const { hass } = this;
    if (this.verified.loading) return html`<p role="status">${text(hass, "privacy.verifying")}</p>`;
    if (this.verified.error) return html`<p class="bad" role="alert">${this.verified.error}</p>`;
    if (!verified) return html`<p>${text(hass, "privacy.not_verified")}</p>`;
    if (verified.ok) {
      return html`<p class="good" role="status">
        ${icon(mdiCheckCircle)}
        ${text(hass, "privacy.verified", { time: when(hass, verified.at), count: this.number(verified.entries) })}
      </p>`;
    }
    return html`<div class="bad" role="alert">
      ${verified.first_bad === null ? nothing : html`<p>${text(hass, "privacy.tampered", { number: verified.first_bad })}</p>`}
      ${verified.rows_ok ? nothing : html`<p>${text(hass, "privacy.tampered_rows")}</p>`}
      ${verified.mark_ok ? nothing : html`<p>${text(hass, "privacy.tampered_mark")}</p>`}
    </div>`;
  }

  private entry(entry: AuditEntry): unknown {
    const { hass } = this;
    const kind = keyed("audit", entry.kind);
    const counts = this.counted(entry.details);
    const setting = this.setting(entry);
    const whose = entry.name ?? (entry.person_id ? text(hass, "privacy.somebody_gone") : "");
    // Not every dialog knows its user.
    const by = entry.by ?? (BY_ITSELF.has(entry.kind) ? text(hass, "privacy.by_itself") : "");
    const more = [whose, counts, setting].filter(Boolean).join(" · ");
    return html`<li>
      <span class="second"
        ><time datetime=${entry.at}>${when(hass, entry.at)}</time>${by ? ` · ${by}` : nothing}</span
      >
      <span>${kind ? text(hass, kind) : entry.kind}${more ? html`<span class="second"> · ${more}</span>` : nothing}</span>
    </li>`;
  }

  /** Return what a setting is called where it is chosen. */
  private setting({ details }: AuditEntry): string {
    const { key } = details;
    if (typeof key !== "string") return "";
    const own = keyed("setting", key);
    if (own) return text(this.hass, own);
    const labels = SETTINGS.map((step) => this.localize?.(`component.${DOMAIN}.options.step.${step}.data.${key}`));
    return labels.find(Boolean) ?? key;
  }

  private readonly more = (): void => {
    this.limit = Math.min(this.limit * 5, MOST_ENTRIES);
    void this.audit.load(this.hass, { type: "familiar_faces/privacy/audit", limit: this.limit });
  };

  private readonly fetch = async (): Promise<void> => {
    this.notFetched = await attempt(this.hass, async () => {
      const { path } = await this.hass.callWS<{ path: string }>({
        type: "auth/sign_path",
        path: "/api/familiar_faces/audit",
        expires: 60,
      });
      download(this.renderRoot, path);
    });
    // That it was fetched is an entry too.
    this.soon ??= setTimeout(this.load, TOGETHER);
  };

  private readonly verify = (): void => {
    void this.verified.load(this.hass, { type: "familiar_faces/privacy/verify" });
  };

  private erased(): unknown {
    const { hass, receipts } = this;
    const found = receipts.value?.receipts ?? [];
    return this.card(
      "privacy.receipts",
      html`${this.failed(receipts)}
        ${receipts.value && !found.length ? html`<p class="second">${text(hass, "privacy.receipts_none")}</p>` : nothing}
        <ul class="log">
          ${found.map(
            (each) => html`<li>
              <span class="second">${text(hass, "privacy.receipt", { when: when(hass, each.forgotten_at) })}</span>
              <span>
                ${text(hass, each.everywhere ? "privacy.receipt_everywhere" : "privacy.receipt_going_on")}
                <span class="second"> · ${this.counted(each.erased)}</span>
              </span>
            </li>`,
          )}
        </ul>`,
    );
  }

  /** Say how much of what: only of what there is any. */
  private counted(counts: Record<string, unknown>): string {
    return Object.entries(counts)
      .flatMap(([key, count]) => {
        const name = keyed("counted", key);
        return name && typeof count === "number" && count ? [`${this.number(count)} ${text(this.hass, name)}`] : [];
      })
      .join(", ");
  }

  // Where it goes

  private engine(value: Summary): unknown {
    const { hass } = this;
    const { engine } = value;
    const mark = html`<span class="tag ${engine.ready ? "" : "fairly"}"
      >${text(hass, engine.ready ? "privacy.running" : "privacy.not_running")}</span
    >`;
    return this.card(
      "privacy.engine",
      html`<dl>
          ${this.row(text(hass, "privacy.where"), text(hass, `privacy.where_${engine.where}`))}
          ${engine.latency_ms === null
            ? nothing
            : this.row(text(hass, "privacy.answers_in"), duration(hass, engine.latency_ms))}
          ${engine.up_seconds === null
            ? nothing
            : this.row(text(hass, "privacy.up"), lasting(hass, engine.up_seconds))}
          ${engine.memory === null ? nothing : this.row(text(hass, "privacy.memory"), bytes(hass, engine.memory))}
          ${engine.model === null ? nothing : this.row(text(hass, "privacy.model"), engine.model)}
        </dl>
        ${engine.ready || !engine.error ? nothing : html`<p class="bad">${engine.error}</p>`}`,
      mark,
    );
  }

  private connections(value: Summary): unknown {
    const { hass } = this;
    const { addresses } = value.engine;
    const { cameras, phones, others } = value.connections;
    const line = (name: string, help: string): unknown =>
      html`<li>${icon(mdiCheckCircle)}<span>${name}<br /><span class="second">${help}</span></span></li>`;
    const several = (what: "cameras" | "phones" | "others", count: number): string =>
      count === 1 ? text(hass, `privacy.one_${what}`) : text(hass, `privacy.many_${what}`, { count });
    const to = addresses.length
      ? addresses.map((each) => text(hass, each.encrypted ? "privacy.to_engine_encrypted" : "privacy.to_engine_plain", each as never))
      : [text(hass, "privacy.to_engine_here")];
    return this.card(
      "privacy.connections",
      html`<ul class="lines">
        ${line(text(hass, "privacy.engine"), to.join("; "))}
        ${line(several("cameras", cameras), text(hass, "privacy.through_home_assistant"))}
        ${phones ? line(several("phones", phones), text(hass, "privacy.phones_help")) : nothing}
        ${others ? line(several("others", others), text(hass, "privacy.others_help")) : nothing}
        ${line(text(hass, "privacy.nothing_else"), text(hass, "privacy.nothing_else_help"))}
      </ul>`,
    );
  }

  private links(value: Summary): unknown {
    const { hass } = this;
    return this.card(
      "privacy.links",
      html`<dl>
          ${this.row(text(hass, "privacy.invitations"), this.number(value.links.invitations))}
          ${this.row(text(hass, "privacy.own_links"), this.number(value.links.own))}
        </dl>
        <ul class="invitations">
          ${repeat(
            value.invitations,
            (each) => each.invitation_id,
            (each) => html`<li>
              ${icon(mdiQrcode)}
              <span
                >${each.name ?? text(hass, "people.somebody_new")}<br /><span class="second"
                  >${text(hass, "people.open_until", { time: when(hass, each.until) })}</span
                ></span
              >
              <button class="link" @click=${() => this.uninvite(each.invitation_id)}>${text(hass, "people.close")}</button>
            </li>`,
          )}
        </ul>
        ${this.notClosed
          ? html`<p class="bad" role="alert">${text(hass, "panel.refused", { reason: this.notClosed })}</p>`
          : nothing}`,
    );
  }

  private async uninvite(invitation_id: string): Promise<void> {
    this.notClosed = await attempt(this.hass, () =>
      this.hass.callWS({ type: "familiar_faces/person/uninvite", invitation_id }),
    );
    this.load();
  }

  private papers(value: Summary): unknown {
    const { hass } = this;
    const { papers } = value;
    const paper = (path: string, name: string): unknown =>
      html`<li><a href=${path} target="_blank" rel="noopener" @click=${this.signed}>${name}</a></li>`;
    return this.card(
      "privacy.papers",
      html`${papers.shown ? nothing : html`<p class="second">${text(hass, "privacy.papers_hidden")}</p>`}
        <ul class="papers">
          ${papers.shown ? PAPERS.map(([path, name]) => paper(papers[path], text(hass, `privacy.paper_${name}`))) : nothing}
          ${paper(papers.record, text(hass, "privacy.record"))}
        </ul>
        ${papers.shown
          ? nothing
          : html`<div class="actions"><button class="link" @click=${this.options}>${text(hass, "privacy.options")}</button></div>`}`,
    );
  }

  /** The link to the record works for an hour: the next one is fetched once this one was used. */
  private readonly signed = (): void => {
    this.soon ??= setTimeout(this.load, TOGETHER);
  };

  private number(of: number): string {
    return new Intl.NumberFormat(this.hass.locale.language).format(of);
  }

  private moment(at: string | null): unknown {
    const { hass } = this;
    if (!at) return text(hass, "privacy.none");
    return html`<time datetime=${at} title=${moment(hass, at)}>${when(hass, at)}</time>`;
  }

  static override styles = [
    shared,
    css`
      :host {
        display: block;
        max-width: 1120px;
        margin: 0 auto;
        padding: 20px 16px 32px;
        container: privacy / inline-size;
      }
      .columns {
        display: grid;
        grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
        gap: 16px;
        align-items: start;
      }
      @container privacy (max-width: 760px) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      .columns > div {
        display: grid;
        gap: 16px;
      }
      .skeleton {
        height: 320px;
      }
      section {
        padding: 8px 16px 12px;
        min-width: 0;
      }
      header {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 8px;
        min-height: 44px;
      }
      h2 {
        margin: 0;
        font-size: 20px;
        line-height: 28px;
        font-weight: 400;
      }
      p {
        margin: 4px 0;
      }
      dl,
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      .tiles {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(110px, 1fr));
        gap: 8px;
        margin-bottom: 8px;
      }
      .tiles > div {
        display: flex;
        flex-direction: column-reverse;
        justify-content: flex-end;
        padding: 10px 12px;
        border-radius: 12px;
        background: var(--ff-soft);
      }
      .tiles dd {
        margin: 0;
        text-align: start;
        font-size: 22px;
        line-height: 28px;
      }
      .tiles dt {
        font-size: 13px;
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 4px 16px;
        padding: 9px 0;
      }
      .row + .row {
        border-top: 1px solid var(--ff-line);
      }
      dd {
        margin: 0;
        margin-inline-start: auto;
        text-align: end;
        overflow-wrap: anywhere;
      }
      .log li {
        display: grid;
        grid-template-columns: minmax(0, 2fr) minmax(0, 3fr);
        gap: 4px 12px;
        padding: 8px 0;
        overflow-wrap: anywhere;
      }
      .log li + li {
        border-top: 1px solid var(--ff-line);
      }
      .invitations li {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 12px;
        padding: 8px 0;
        border-top: 1px solid var(--ff-line);
      }
      .invitations li > span {
        flex: 1;
        min-width: 120px;
        overflow-wrap: anywhere;
      }
      .lines li {
        display: flex;
        gap: 12px;
        padding: 6px 0;
      }
      .lines svg,
      .good svg {
        color: var(--ff-good);
      }
      .good {
        display: flex;
        gap: 8px;
      }
      .bad {
        color: var(--ff-bad);
      }
      .papers a {
        display: block;
        padding: 9px 0;
        color: var(--ff-link);
        font-weight: 500;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 4px;
        margin-top: 4px;
      }
      .actions .link {
        display: inline-flex;
        align-items: center;
        gap: 8px;
      }
    `,
  ];
}

define("familiar-faces-privacy", PrivacyTab);
