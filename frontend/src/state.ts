// What stands in place of a page that is loading, failed or refused, and above one that is old.

import { type TemplateResult, html, nothing } from "lit";
import type { Hass } from "./ha";
import { icon, mdiAlertCircleOutline } from "./icons";
import { text } from "./text";
import type { Topic } from "./topic";

/** Return what is to be said instead of a page; undefined where the page can be shown. */
export function instead(hass: Hass, topic: Topic<object>, gone: string, again: () => void): TemplateResult | undefined {
  if (topic.status === "refused" && topic.reason !== "unknown_person") {
    return html`<div class="empty card" role="alert">
      ${icon(mdiAlertCircleOutline)}
      <p>${text(hass, "panel.refused", { reason: topic.error ?? "" })}</p>
      <button class="tonal" @click=${again}>${text(hass, "panel.try_again")}</button>
    </div>`;
  }
  if (topic.status === "gone" || topic.status === "refused") {
    return html`<div class="empty card" role="status">${icon(mdiAlertCircleOutline)}<p>${gone}</p></div>`;
  }
  if (topic.said) return undefined;
  if (topic.status === "failed") {
    return html`<div class="empty card" role="alert">
      ${icon(mdiAlertCircleOutline)}
      <p>${text(hass, "panel.reading_failed", { seconds: topic.again })}</p>
    </div>`;
  }
  return html`<div class="loading card" role="status" aria-label=${text(hass, "panel.page_loading")}></div>`;
}

/** Return what is to be said above what is shown, where it may be old. */
export function failed(hass: Hass, topic: Topic<object>): unknown {
  if (topic.status !== "failed") return nothing;
  return html`<p class="note bad" role="alert">
    ${icon(mdiAlertCircleOutline)}<span>${text(hass, "panel.reading_failed", { seconds: topic.again })}</span>
  </p>`;
}
