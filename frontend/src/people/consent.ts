// What somebody agreed to, as yes and no in plain words.

import { type TemplateResult, html, nothing } from "lit";
import type { Hass } from "../ha";
import { icon, mdiCheckCircle, mdiClose } from "../icons";
import { type Key, homeDate, lastDay, list, text } from "../text";
import type { Consent } from "./model";

export function consentFacts(hass: Hass, consent: Consent | null): TemplateResult {
  if (!consent) return html`<p class="second">${text(hass, "consent.none")}</p>`;
  const line = (yes: boolean, words: string, help?: string) => html`<li class=${yes ? "yes" : "no"}>
    ${icon(yes ? mdiCheckCircle : mdiClose)}
    <span>
      <span class="visually-hidden">${text(hass, yes ? "consent.yes" : "consent.no")}: </span>${words}
      ${help ? html`<span class="second">${help}</span>` : nothing}
    </span>
  </li>`;
  return html`<ul class="consent">
    ${consent.everywhere
      ? line(true, text(hass, "consent.everywhere"))
      : consent.cameras.length
        ? line(true, text(hass, "consent.cameras", { cameras: list(hass, consent.cameras) }))
        : line(false, text(hass, "consent.nowhere"))}
    ${consent.cameras.length && consent.not_cameras.length
      ? line(false, text(hass, "consent.not_cameras", { cameras: list(hass, consent.not_cameras) }))
      : nothing}
    ${visits(hass, consent, line)}
    ${consent.keeping === "silent"
      ? nothing
      : html`${consent.pictures && consent.pictures_days
          ? line(true, text(hass, "consent.pictures"), text(hass, "consent.pictures_for", { days: consent.pictures_days }))
          : line(false, text(hass, "consent.pictures_not"))}
        ${line(consent.uploads, text(hass, consent.uploads ? "consent.uploads" : "consent.uploads_not"))}`}
    ${line(
      true,
      text(hass, "consent.until", { day: lastDay(hass, consent.until) }),
      text(hass, "consent.until_help", {
        giver: consent.given_by,
        method: text(hass, `consent.method_${consent.method}` as Key),
        day: homeDate(hass, consent.given_at),
      }),
    )}
  </ul>`;
}

function visits(
  hass: Hass,
  consent: Consent,
  line: (yes: boolean, words: string, help?: string) => TemplateResult,
): TemplateResult {
  if (consent.keeping === "silent") return line(false, text(hass, "consent.silent"));
  if (consent.keeping === "nothing") return line(false, text(hass, "consent.visits_not"));
  if (!consent.visits_days) return line(false, text(hass, "consent.visits_off"));
  return line(true, text(hass, "consent.visits"), text(hass, "consent.for_days", { days: consent.visits_days }));
}
