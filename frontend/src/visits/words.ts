// What is said of a visit in words.

import type { Hass } from "../ha";
import type { Glimpse, Suggested, Visit } from "../model";
import { type Key, keyed, text, time } from "../text";

export function who(hass: Hass | undefined, visit: Glimpse): string {
  if (visit.name !== null) return visit.name;
  return text(hass, visit.kind === "stranger" ? "visit.stranger" : "visit.unclear");
}

export function where(hass: Hass | undefined, visit: Visit): string {
  return visit.camera ?? text(hass, "visit.at_a_camera");
}

export function sure(hass: Hass | undefined, visit: Glimpse): string | undefined {
  return visit.sure ? text(hass, `visit.sure_${visit.sure}` as Key) : undefined;
}

/** The one line that a visit needs because something is missing; undefined for most. */
export function exception(hass: Hass | undefined, visit: Visit): string | undefined {
  if (visit.kind === "unclear") {
    const key =
      keyed("visit", `why_${visit.reason === "no_usable_face" && visit.quality ? visit.quality : visit.reason}`) ??
      keyed("visit", `why_${visit.reason}`);
    return key && text(hass, key);
  }
  const key = keyed("visit", `picture_${visit.picture}`);
  return key && text(hass, key, { name: visit.name ?? "" });
}

/** Whether the user can say something of it. */
export function answerable(visit: Visit): boolean {
  if (visit.answer || !visit.answers) return false;
  return visit.kind === "familiar" ? visit.sure !== "said" : held(visit) > 0;
}

/** Who a visitor without a name may have been, while that can still be said. */
export function suggested(visit: Visit): Suggested[] {
  return answerable(visit) && visit.kind === "unclear" ? visit.suggested : [];
}

/** For how many minutes somebody without a name can still be given one. */
export function held(visit: Visit): number {
  return visit.held ? Math.max(0, Math.ceil((Date.parse(visit.held) - Date.now()) / 60_000)) : 0;
}

/** What a screen reader says of a row. */
export function label(hass: Hass, visit: Visit): string {
  return [who(hass, visit), where(hass, visit), time(hass, visit.at), sure(hass, visit)].filter(Boolean).join(", ");
}
