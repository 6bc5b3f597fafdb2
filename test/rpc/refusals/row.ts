import type { Refusal, TestClient } from "../../support/client.js";

/** What a row does once its scene is set: the call that is refused, and what must hold afterwards. */
export interface Provocation {
  call(): Promise<unknown>;
  after?(): Promise<void>;
}

/** One way to meet one line of the `Errors:` list of an RPC. */
export interface RefusalRow {
  /** `AddFile`. */
  readonly rpc: string;
  /** `INVALID_ARGUMENT / NAME_INVALID`, as in the list. */
  readonly line: string;
  /** Completes the title: `AddFile of <when>`. */
  readonly when: string;
  /** The rest of the detail. */
  readonly detail?: Partial<Refusal>;
  /** Sets the scene and answers the call. */
  provoke(client: TestClient): Promise<Provocation | Provocation["call"]>;
}

/** The rows of one RPC: `[line, when, provoke, detail]`. */
export function rowsOf(
  rpc: string,
  ...rows: readonly (readonly [string, string, RefusalRow["provoke"], Partial<Refusal>?])[]
): RefusalRow[] {
  return rows.map(([line, when, provoke, detail = {}]) => ({ rpc, line, when, provoke, detail }));
}

/** A UUID that names nothing. */
export const nobody = "00000000-0000-4000-8000-000000000000";

export const bytes = (length: number, value = 7) => new Uint8Array(length).fill(value);

/** JSON with this many levels. */
export function nested(levels: number): { [name: string]: object } {
  return levels === 1 ? {} : { a: nested(levels - 1) };
}
