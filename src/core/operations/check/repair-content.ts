import type { CheckFinding, ContentOwner } from "../../check.js";
import { isUploadError } from "../../error.js";
import type { Failure } from "../../failure.js";
import type { SessionFile } from "../../file.js";
import { moveFile } from "../../file-state.js";
import type { NamedContent } from "../../ports/check-store.js";
import { moveSession } from "../../session-state.js";
import { trashUnnamed } from "../sweep.js";
import type { CheckRun, Steps } from "./check-run.js";
import { copyFromSound } from "./copy-bytes.js";
import { type Fault, keysOf } from "./find-fault.js";

type OwningFile = Extract<ContentOwner, { kind: "file" }>;

/**
 * The finding with what was, or could be, done about damaged or missing content: written anew from a sound copy, or else
 * the files of active sessions that have it fail, so that they are sent again. Undefined when it was let go meanwhile.
 */
export async function* repairContent(
  run: CheckRun,
  content: NamedContent,
  fault: Fault,
  finding: CheckFinding,
): Steps<CheckFinding | undefined> {
  if (!run.repair) {
    const repairMessage = await foresee(run, content);
    return repairMessage === "" ? advise(finding) : { ...finding, repair: "possible", repairMessage };
  }
  const replaced = yield* replaceBytes(run, content, fault);
  if (replaced !== undefined) return { ...finding, repair: "done", repairMessage: replaced };
  const failed = await failFiles(run, content);
  const now = await run.deps.metadata.findNamedContent(content.id);
  if (now !== undefined) return advise(finding);
  if (failed.length === 0) return undefined;
  return { ...finding, repair: "done", repairMessage: `${listFiles(failed)} is failed, and must be sent again` };
}

function advise(finding: CheckFinding): CheckFinding {
  return { ...finding, message: `${finding.message}; bring it back from a backup, or send it anew under its name` };
}

/** What a repair would try, without trying it; empty where there is nothing. */
async function foresee(run: CheckRun, content: NamedContent): Promise<string> {
  const wanted = wantedOf(content);
  const copies = wanted && (await run.deps.metadata.listCopies({ ...wanted, limit: 2 }));
  if (copies?.some((place) => place.kind !== "content" || place.contentId !== content.id)) {
    return "the bytes are written anew from another copy in the tenant, if that one is sound";
  }
  const files = content.owners.filter((owner) => owner.kind === "file");
  const isActive = await Promise.all(files.map((file) => isInActiveSession(run, content, file)));
  if (!isActive.some(Boolean)) return "";
  return `${listFiles(files.filter((_, at) => isActive[at]))} becomes failed, so that it is sent again`;
}

function wantedOf(content: NamedContent) {
  const sha256 = content.checksums?.find(({ algorithm }) => algorithm === "sha256")?.value;
  const { tenantId, sizeBytes } = content;
  return sha256 === undefined ? undefined : { tenantId, sha256, sizeBytes };
}

/** What was done, if there was something to do it with. */
async function* replaceBytes(run: CheckRun, content: NamedContent, fault: Fault): Steps<string | undefined> {
  const { metadata } = run.deps;
  const wanted = wantedOf(content);
  if (wanted === undefined || !content.whole) return undefined;
  const key = yield* copyFromSound(run, wanted, (place) => place.kind === "content" && place.contentId === content.id);
  if (key === undefined) return undefined;
  const from = keysOf(fault.extent ? [fault.extent] : content.extents);
  const { id: contentId, sizeBytes } = content;
  const applied = await metadata.replaceContent({ contentId, sizeBytes, from, to: key });
  await trashUnnamed(run.deps, applied ? keysOf(content.extents) : [key]);
  return applied ? "the bytes were written anew from another copy in the tenant" : undefined;
}

async function isInActiveSession(run: CheckRun, content: NamedContent, file: OwningFile): Promise<boolean> {
  try {
    const { session } = await run.deps.metadata.getFile({ ...file, tenantId: content.tenantId });
    return session.state === "active";
  } catch (error) {
    if (isUploadError(error, "not_found")) return false;
    throw error;
  }
}

async function failFiles(run: CheckRun, content: NamedContent): Promise<readonly OwningFile[]> {
  const failed: OwningFile[] = [];
  for (const owner of content.owners) {
    if (owner.kind === "file" && (await failFile(run, content, owner))) failed.push(owner);
  }
  return failed;
}

/** Answers whether the file let the content go: it must be in an active session, and still have it. */
async function failFile(run: CheckRun, content: NamedContent, owner: OwningFile): Promise<boolean> {
  const { metadata, seats } = run.deps;
  const ref = { tenantId: content.tenantId, sessionId: owner.sessionId };
  let lost = false;
  try {
    await metadata.changeFile(ref, { fileId: owner.fileId }, ({ session, file }, now) => {
      moveSession(session, "change", now);
      const after = file && loseContent(file, content.id, now);
      lost = after !== undefined;
      if (file === undefined || after === undefined) return { session, file, events: [] };
      const { failure } = after;
      if (failure === file.failure) return { session, file: after, events: [] };
      const details = { fileId: file.id, name: file.name, ...failure };
      return { session, file: after, events: [{ type: "file.failed", details }] };
    });
  } catch (error) {
    if (isUploadError(error, "not_found", "wrong_state", "expired")) return false;
    throw error;
  }
  if (lost) seats.evictFile(owner.fileId);
  return lost;
}

/** The file without the content; undefined when it does not have it. A newer attempt under way goes on. */
function loseContent(file: SessionFile, contentId: string, now: Date): SessionFile | undefined {
  const isRunning = file.running?.id === contentId;
  if (!isRunning && file.current?.id !== contentId) return undefined;
  const left = isRunning ? { ...file, running: undefined, pull: undefined } : { ...file, current: undefined };
  if (!isRunning && file.state !== "ready") return { ...left, modifiedAt: now };
  const remedy = file.source === undefined ? "send the file again" : "remove the file and declare it again";
  const failure: Failure = {
    reason: "content_damaged",
    message: `bytes that had been stored were lost or damaged on the server; ${remedy}`,
  };
  return { ...left, state: moveFile(file, "lose"), failure, modifiedAt: now };
}

function listFiles(files: readonly OwningFile[]): string {
  return files.map(({ name, sessionId }) => `file ${JSON.stringify(name)} of session ${sessionId}`).join(", ");
}
