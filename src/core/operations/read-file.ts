import type { Content } from "../attempt.js";
import { parseReadRange } from "../byte-range.js";
import { assertPermission, type Call } from "../call.js";
import type { ItemFile } from "../catalog.js";
import type { CoreDeps } from "../deps.js";
import { UploadError } from "../error.js";
import { assertAttempt, type SessionFile } from "../file.js";
import { readContent } from "../read-content.js";
import { moveSession } from "../session-state.js";
import { tellSent } from "../tell-observer.js";
import { parseId, parseName } from "../values.js";
import { parseFileRef } from "./plan-part.js";
import { type FileInput, viewFile } from "./view-file.js";

/** A range of content: what it belongs to, which bytes these are, and the bytes. */
export interface ReadResult<Thing> {
  readonly file: Thing;
  readonly from: number;
  readonly to: number;
  /**
   * Stops with the signal's reason when the call is aborted. Throws `damaged` (CONTENT_DAMAGED) where bytes are lost or wrong.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface ReadRangeInput {
  readonly offset?: number | undefined;
  /** How many bytes at most; undefined for all. */
  readonly limit?: number | undefined;
  /** Says both instead, once it is known what there is. What it throws comes out. */
  readonly choose?: (content: Content) => { readonly offset: number; readonly limit: number };
}

/**
 * The content of a file as the session holds it. Throws `not_found`, `wrong_state`, `expired`, `incomplete`
 * (NO_CONTENT) before any content is whole, `offset_mismatch` past its end. With an attempt, only that attempt's content
 * is meant.
 */
export async function readFile(
  deps: CoreDeps,
  input: FileInput & ReadRangeInput,
  call: Call,
): Promise<ReadResult<SessionFile>> {
  assertPermission(call.caller, "read");
  const ref = parseFileRef(input, call.caller);
  return readRange(deps, input, call, async () => {
    const { session, file, now } = await viewFile(deps, ref, call);
    assertAttempt(file, input.attempt);
    // A session holds content as long as it may complete, or has completed.
    moveSession(session, "complete", now);
    const content = input.attempt === undefined || file.state === "ready" ? file.current : undefined;
    if (content === undefined) {
      throw new UploadError("incomplete", `file ${JSON.stringify(file.name)} has no whole content yet`, {
        reason: "NO_CONTENT",
        expectedOffset: file.running?.offset ?? 0,
      });
    }
    return { file, content };
  });
}

/**
 * The content of an item's file, as everyone in the tenant who may read sees it. Throws `not_found`, `offset_mismatch`.
 */
export async function readItemFile(
  deps: CoreDeps,
  input: { readonly itemId: string; readonly name: string } & ReadRangeInput,
  call: Call,
): Promise<ReadResult<ItemFile>> {
  assertPermission(call.caller, "read");
  const itemId = parseId(input.itemId, "item id");
  const name = parseName(input.name, "file name");
  return readRange(deps, input, call, async () => {
    const file = await deps.metadata.getItemFile(call.caller.tenantId, itemId, name);
    return { file, content: file.content };
  });
}

/**
 * Content that is replaced once it was looked up may be collected before its extents are listed; then there is newer
 * content to look up, or none.
 */
async function readRange<Thing>(
  deps: CoreDeps,
  input: ReadRangeInput,
  call: Call,
  look: () => Promise<{ readonly file: Thing; readonly content: Content }>,
): Promise<ReadResult<Thing>> {
  let seen: string | undefined;
  for (;;) {
    const { file, content } = await look();
    const { from, to } = parseReadRange(input.choose?.(content) ?? input, content.sizeBytes);
    const extents = from === to ? [] : await deps.metadata.listExtents(content.id);
    const collected = from < to && extents.length === 0;
    if (!collected || content.id === seen) {
      const body = readContent(deps.blobs, extents, from, to, call.signal);
      return { file, from, to, body: tellSent(body, deps.observer) };
    }
    seen = content.id;
  }
}
