// What the server says: panel/rows.py and panel/feed.py.

export type Kind = "familiar" | "stranger" | "unclear";
export type Sure = "very" | "sure" | "fairly" | "said";
export type PictureState = "shown" | "nameless" | "not_agreed" | "switched_off" | "over" | "none" | "held";

export interface Glimpse {
  visit_id: string;
  kind: Kind;
  at: string;
  until: string;
  person_id: string | null;
  name: string | null;
  sure: Sure | null;
  picture: PictureState;
  /** What the user may say of it: anything, of their own visit whether it was right, or nothing. */
  answers?: "any" | "own" | null;
  answer?: Answer | null;
}

export interface Answer {
  correct: boolean;
  person_id: string | null;
  due: string;
}

export interface Visit extends Glimpse {
  camera_id: string | null;
  camera: string | null;
  confidence: number | null;
  /** Until when somebody without a name can be given one. */
  held: string | null;
  reason: string | null;
  quality: string | null;
  answer: Answer | null;
  /** Who a visitor without a name may have been; for administrators. */
  suggested: Suggested[];
}

/** panel/visit_details.py */
export interface Details {
  /** How many pictures agreed. */
  frames: number;
  /** The reference photo that the face resembled most. */
  matched: string | null;
  visit_until: string;
  /** None where there is no picture. */
  picture_until: string | null;
}

export interface Suggested {
  person_id: string;
  name: string;
  /** The reference photo that stands for them. */
  face: string | null;
}

export interface Camera {
  camera_id: string;
  name: string;
  trouble: "off" | "nobody_agreed" | "old_picture" | "no_picture" | null;
  here: Glimpse[];
  strangers: number;
  unclear: number;
  last: Glimpse | null;
}

export interface Person {
  person_id: string;
  name: string;
  /** The cameras that they agreed to; for administrators. */
  cameras?: string[];
}

export interface Cursor {
  at: string;
  visit_id: string;
}

/** Something that waits for an administrator. */
export interface Todo {
  id: string;
  /** A repair, what nobody is recognised without, or what could be better. */
  kind: "issue" | "step" | "better";
  key: string;
  values: Record<string, string>;
  /** Whose page, or which camera's, shows more of it. */
  person_id?: string;
  camera_id?: string;
}

export interface Now {
  now: string;
  administrator: boolean;
  engine: "ready" | "down";
  engine_error: string | null;
  cameras: Camera[];
  /** Where the user may mute people and cameras: for everybody, or on their own phones. */
  mutes: "everybody" | "own" | null;
  /** Until when people and cameras are muted so, by their ids. */
  muted: Record<string, string>;
  /** Which of the people the user is. */
  own: string | null;
  /** How many pictures are in the review inbox; null while it is off, and for users. */
  inbox: number | null;
  todo: Todo[];
  /** Which steps of the set-up are done; null once a first name was said, and for users. */
  setup: SetUp | null;
}

export type SetUp = Record<"engine" | "camera" | "person" | "name", boolean>;

export interface PageOfVisits {
  visits: Visit[];
  after: Cursor | null;
}

export type FeedEvent =
  | ({ type: "all"; people: Person[]; failed: Record<string, string | null> } & Now & PageOfVisits)
  | ({ type: "changes"; visits: Visit[]; gone: string[]; failed: Record<string, string | null> } & Now)
  | { type: "failed"; again: number }
  | { type: "stopped" };

export interface Wanted {
  people?: string[];
  cameras?: string[];
  kinds?: Kind[];
  since?: string;
  before?: string;
}
