// What the server says of cameras: panel/camera_rows.py and panel/camera_commands.py.

export type Role = "bell" | "motion";

export interface Trigger {
  entity_id: string;
  name: string;
  there: boolean;
  role: Role;
}

export interface CameraSetUp {
  camera_id: string;
  name: string;
  entity_id: string;
  there: boolean;
  on: boolean;
  fitness: string | null;
  faces: number;
  face_width: number | null;
  least_width: number;
  time_to_name_ms: number | null;
  mode: string;
  triggers: Trigger[];
  roles_can_change: boolean;
  turn: number;
  stream: string | null;
  stream_open: boolean;
  agreed: number;
  people: number;
  /** Whose photos can be taken here. */
  photos_of: { person_id: string; name: string }[];
  /** Ids of faces that look after look did not move. */
  posters_found: string[];
  /** Ids of those that are ignored. */
  posters_ignored: string[];
}

export interface ShownFace {
  /** Left, top, width and height in pixels of the upright picture. */
  box: [number, number, number, number];
  width: number;
  quality: string;
  /** Which of the ignored pictures it is, from 1 on. */
  poster: number | null;
}

export interface ShownPicture {
  at: string;
  /** Base64. */
  picture: string;
  turn: number;
  size: [number, number];
  /** By how many degrees more it has to be turned for people to stand upright. */
  turned: number;
  faces: ShownFace[];
}

/** What keeps a camera most from naming people: panel/camera_rows.py. */
export interface Advice {
  key: string;
  count: number;
  visits: number;
  usable: number;
  weeks: number;
}

export interface Week {
  /** The day of its Monday. */
  begins: string;
  visits: number;
  named: number;
  confirmed: number;
  corrected: number;
  missed: number;
  strangers: number;
  unclear: Record<string, number>;
  usable: number;
  took_ms: number | null;
}

export interface CameraWeeks {
  camera_id: string;
  advice: Advice | null;
  weeks: Week[];
}
