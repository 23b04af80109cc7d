// What the server says of privacy: panel/privacy_commands.py and panel/privacy_facts.py.

export interface Verified {
  at: string;
  ok: boolean;
  entries: number;
  first_bad: number | null;
  rows_ok: boolean;
  mark_ok: boolean;
}

export interface Engine {
  status: string;
  ready: boolean;
  error: string | null;
  where: "this_machine" | "another_machine" | "app";
  addresses: { address: string; encrypted: boolean; away: boolean }[];
  latency_ms: number | null;
  /** How long it has been running; null where it does not say. */
  up_seconds: number | null;
  memory: number | null;
  model: string | null;
}

export interface Summary {
  stored: Record<
    "people" | "photos" | "templates" | "visits" | "pictures" | "consents" | "review" | "audit_entries" | "bytes",
    number
  >;
  oldest: Record<"visit" | "picture" | "review" | "audit_entry", string | null>;
  next_purge: string | null;
  /** Seconds; nothing stands for not at all. */
  periods: Record<string, number>;
  /** How many weeks of cameras have counts. */
  weeks: number;
  links: { invitations: number; own: number };
  /** Those that can be used, oldest first. */
  invitations: { invitation_id: string; name: string | null; until: string }[];
  verified: Verified | null;
  engine: Engine;
  connections: { cameras: number; phones: number; others: number };
  papers: { shown: boolean; notice: string; sign: string; policy: string; model: string; record: string };
}

export type Detail = string | number | boolean | null;

export interface AuditEntry {
  number: number;
  at: string;
  kind: string;
  person_id: string | null;
  name: string | null;
  by: string | null;
  details: Record<string, Detail>;
}

export interface Receipt {
  person_id: string;
  forgotten_at: string;
  finished_at: string | null;
  everywhere: boolean;
  erased: Record<string, number>;
}
