// What happens at each camera now.

import { type TemplateResult, html, nothing } from "lit";
import "../face";
import type { Hass } from "../ha";
import { icon, mdiAccountQuestion, mdiCctv, mdiImageRefreshOutline } from "../icons";
import type { Camera } from "../model";
import { type Key, text, when } from "../text";
import { who } from "./words";

/** Who is at a camera, in words; undefined when nobody is who may be shown. */
export function present(hass: Hass, camera: Camera): string | undefined {
  const names = camera.here.map((each) => each.name ?? "");
  if (names.length === 1) return text(hass, "now.is_here", { name: names[0] ?? "" });
  if (names.length) {
    const list = new Intl.ListFormat(hass.locale.language, { type: "conjunction" }).format(names);
    return text(hass, "now.are_here", { names: list });
  }
  if (camera.strangers) return text(hass, "now.stranger_here");
  return camera.unclear ? text(hass, "now.somebody_here") : undefined;
}

/** The second line where nobody is: what is wrong with the camera, or who came last. */
export function lately(hass: Hass, camera: Camera): string {
  if (camera.trouble) return text(hass, `now.${camera.trouble}` as Key);
  if (!camera.last) return text(hass, "now.no_visit");
  return text(hass, "now.last", { who: who(hass, camera.last), when: when(hass, camera.last.at) });
}

export function tile(hass: Hass, camera: Camera): TemplateResult {
  const here = present(hass, camera);
  const visit = camera.here[0];
  return html`<div class="tile card ${here ? "here" : ""}">
    ${visit
      ? html`<familiar-faces-face .hass=${hass} .visit=${visit}></familiar-faces-face>`
      : html`<div class="sign ${camera.trouble ? "trouble" : ""}">
          ${icon(here ? mdiAccountQuestion : camera.trouble === "old_picture" ? mdiImageRefreshOutline : mdiCctv)}
        </div>`}
    <div class="words">
      <div class="name">${here ?? camera.name}</div>
      <div class="second">${here ? html`<span class="dot"></span>${camera.name}` : lately(hass, camera)}</div>
    </div>
    ${nothing}
  </div>`;
}
