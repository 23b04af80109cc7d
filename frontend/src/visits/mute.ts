// Muting a person or a camera: for everybody where the user may, else on their own phones.

import { DOMAIN, type Hass } from "../ha";
import type { Now } from "../model";

export function mute(
  hass: Hass,
  now: Now | undefined,
  what: { person_id: string } | { camera_id: string },
  seconds: number,
): Promise<unknown> {
  if (now?.mutes === "own") return hass.callWS({ type: "familiar_faces/me/mute", ...what, seconds });
  const named = "person_id" in what ? { person: what.person_id } : { camera: what.camera_id };
  return hass.callService(DOMAIN, "mute", { ...named, duration: { seconds } });
}
