// What the server says of people: panel/person_facts.py and panel/people_commands.py.

import type { Glimpse, Visit } from "../model";

export interface Tile {
  person_id: string;
  name: string;
  child: boolean;
  silent: boolean;
  state: "active" | "expiring" | "expired" | "withdrawn";
  until: string | null;
  /** The reference photo that stands for them; none of who wants no pictures. */
  face: string | null;
  here: boolean;
  last: (Glimpse & { camera: string | null }) | null;
  photos: number;
}

export interface Invitation {
  invitation_id: string;
  person_id: string | null;
  until: string;
}

export interface People {
  people: Tile[];
  invitations: Invitation[];
}

export interface Consent {
  given_by: string;
  given_at: string;
  method: "in_person" | "on_paper" | "own_device";
  until: string;
  text: string;
  everywhere: boolean;
  cameras: string[];
  not_cameras: string[];
  keeping: "visits" | "nothing" | "silent";
  pictures: boolean;
  uploads: boolean;
  visits_days: number;
  pictures_days: number;
}

export interface Photo {
  template_id: string;
  added_at: string;
  worth: "good" | "little" | "odd" | "aside" | "old_model";
  matched: boolean;
}

export interface Page extends Tile {
  mine: boolean;
  /** Whether the user may change something. */
  may: boolean;
  linked: string | null;
  consent: Consent | null;
  templates: Photo[];
  different: number;
  enough: number;
  alike: { person_id: string; name: string }[];
  kept: { photos: number; visits: number; pictures: number; oldest: string | null };
  /** The last visits, newest first. */
  visits: Visit[];
  more_visits: boolean;
  /** The cameras that may take photos of them. */
  cameras: { camera_id: string; name: string }[];
  muted: string | null;
  /** Until when the user's own phones are muted; none where there is no phone, or it is not their own page. */
  phone: { muted: string | null } | null;
}

/** What became of a photo: views/reference_photo.py. */
export interface Judged {
  reason: string;
  taken: boolean;
  warnings: string[];
  may_insist: boolean;
  other: string;
}

export interface Receipt {
  person_id: string;
  erased: Record<string, number> | null;
  forgotten_at?: string;
  finished_at?: string | null;
  verified?: boolean;
  not_yet?: string[];
  elsewhere?: Record<string, string | number | boolean | null>;
  mentioned?: Record<string, string[]>;
}

export function photoPath(person_id: string, template_id: string): string {
  return `/api/familiar_faces/photo/${encodeURIComponent(person_id)}/${encodeURIComponent(template_id)}`;
}
