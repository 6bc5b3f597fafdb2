// What a client of FOLIO's face knows of its definitions, and what a server may show of them after a crash.
import type { FolioDefinition, FolioFile } from "../support/folio.js";
import type { Content } from "./content.js";

export interface UploadedFile {
  readonly id: string;
  /** As it was before the uploads that are under way: what a definition's status is decided by. */
  status: "NEW" | "UPLOADED" | "ERROR";
  /** What the last 200 was for. */
  whole: Content | undefined;
  /** Being sent, without an answer. */
  sending: Content | undefined;
}

export type Removal = "no" | "asked" | "done";

export interface DefinitionModel {
  readonly round: number;
  readonly id: string;
  status: FolioDefinition["status"];
  files: UploadedFile[];
  /** Which file is being taken away. */
  removing: string | undefined;
  removal: Removal;
  /** Whether an upload of those that are under way has been answered. */
  succeeded: boolean;
}

export function modelOf({ id, status, fileDefinitions }: FolioDefinition, round: number): DefinitionModel {
  const files = fileDefinitions.map((file) => ({
    id: file.id,
    status: "NEW" as const,
    whole: undefined,
    sending: undefined,
  }));
  return { round, id, status, files, removing: undefined, removal: "no", succeeded: false };
}

/** Takes down that an upload was answered. */
export function acknowledge(model: DefinitionModel, file: UploadedFile): void {
  file.whole = file.sending;
  file.sending = undefined;
  file.status = "UPLOADED";
  model.succeeded = true;
}

/** Of uploads that have all ended: the last to succeed has seen all others. */
export function settle(model: DefinitionModel): void {
  if (model.succeeded) model.status = model.files.every(isUploaded) ? "LOADED" : "IN_PROGRESS";
  else if (model.files.length > 0 && model.files.every(({ status }) => status === "ERROR")) model.status = "ERROR";
  model.succeeded = false;
}

/** What became of a file that was being sent. */
export type Fate = "arrived" | "failed" | "not begun";

/** The statuses that a definition may have, by what became of what was being sent to it. */
export function possibleStatuses(
  model: DefinitionModel,
  fates: ReadonlyMap<UploadedFile, Fate>,
): ReadonlySet<FolioDefinition["status"]> {
  const failed = (file: UploadedFile) => fates.get(file) === "failed";
  const allFailed = model.files.every((file) => failed(file) || (file.status === "ERROR" && !fates.has(file)));
  if (model.files.some(failed) && allFailed) return new Set(["ERROR"]);
  const succeeded = model.succeeded || [...fates.values()].includes("arrived");
  if (!succeeded) return new Set([model.status]);
  const arrived = (file: UploadedFile) => fates.get(file) === "arrived" || isUploaded(file);
  if (!model.files.every(arrived)) return new Set(["IN_PROGRESS"]);
  // One that failed may have begun before the last of the others arrived, or after it.
  return new Set(model.files.some(failed) ? ["LOADED", "IN_PROGRESS"] : ["LOADED"]);
}

function isUploaded({ status }: Pick<FolioFile, "status"> | UploadedFile): boolean {
  return status === "UPLOADED";
}
