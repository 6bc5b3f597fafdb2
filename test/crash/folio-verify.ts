// Holds a restarted server to everything that FOLIO's face had answered, then sends again what was interrupted.
import { expect } from "vitest";
import { readBack } from "../rpc/scene.js";
import { refusalOf, type TestClient } from "../support/client.js";
import { definitionOf, type FolioClient, type FolioDefinition } from "../support/folio.js";
import { bytesOf, type Content } from "./content.js";
import { uploadAll } from "./folio-load.js";
import { type DefinitionModel, type Fate, possibleStatuses, type UploadedFile } from "./folio-model.js";
import type { Dice } from "./model.js";

export interface Clients {
  readonly folio: FolioClient;
  readonly typed: TestClient;
}

/** Of one that nobody is at work on: it is exactly as it was answered last (P1, P8). */
export async function verifyKept({ folio, typed }: Clients, model: DefinitionModel, everyByte: boolean): Promise<void> {
  const what = `definition ${model.id} of round ${model.round}`;
  const answer = await folio.get(model.id);
  if (model.removal === "done") return expect(answer.status, `${what} was taken away`).toBe(404);
  expect(answer.status, what).toBe(200);
  const shown = definitionOf(answer);
  expect([shown.status, statusesOf(shown)], what).toEqual([
    model.status,
    Object.fromEntries(model.files.map(({ id, status }) => [id, status])),
  ]);
  if (everyByte) for (const file of model.files) await verifyContent(typed, model, file.id, file.whole);
}

/**
 * What a crash left of a definition is what was answered, and of what was not, all or nothing (P1, P5); then every file
 * that is not there is sent again, to the end.
 */
export async function verifyInterrupted(clients: Clients, model: DefinitionModel, dice: Dice): Promise<void> {
  const { folio, typed } = clients;
  const what = `definition ${model.id} of round ${model.round}`;
  const answer = await folio.get(model.id);
  if (model.removal === "asked" && answer.status === 404) model.removal = "done";
  if (model.removal === "done") return expect(answer.status, `${what} was taken away`).toBe(404);
  model.removal = "no";
  expect(answer.status, what).toBe(200);
  const shown = definitionOf(answer);
  const statuses = statusesOf(shown);
  if (model.removing !== undefined && statuses[model.removing] === undefined) {
    model.files = model.files.filter(({ id }) => id !== model.removing);
  }
  model.removing = undefined;
  expect(Object.keys(statuses).sort(), `${what}: its files`).toEqual(model.files.map(({ id }) => id).sort());

  const fates = new Map<UploadedFile, Fate>();
  for (const file of model.files) {
    const status = statuses[file.id]!;
    if (file.sending === undefined) {
      expect(status, `${what}: ${file.id}, of which nobody sent anything`).toBe(file.status);
      await verifyContent(typed, model, file.id, file.whole);
    } else fates.set(file, await verifyFate(typed, model, file, status));
  }
  expect([...possibleStatuses(model, fates)], `${what}: its status`).toContain(shown.status);

  model.status = shown.status;
  model.succeeded = false;
  for (const file of model.files) {
    file.status = statuses[file.id] as UploadedFile["status"];
    if (fates.get(file) === "arrived") file.whole = file.sending;
    file.sending = undefined;
  }
  const again = model.files.filter((file) => fates.has(file) || file.status !== "UPLOADED");
  if (again.length > 0) await uploadAll(folio, dice, model, again);
  await verifyKept(clients, model, true);
}

/** A file that was being sent has failed and holds what it held before, or it is whole, or nothing of it had come. */
async function verifyFate(
  typed: TestClient,
  model: DefinitionModel,
  file: UploadedFile,
  status: string,
): Promise<Fate> {
  const what = `file ${file.id} of definition ${model.id} of round ${model.round}`;
  expect(["ERROR", "UPLOADED", file.status], what).toContain(status);
  if (status === "UPLOADED" && (await holds(typed, model, file.id, file.sending!))) return "arrived";
  await verifyContent(typed, model, file.id, file.whole);
  // One that had failed before looks the same whether it failed once more or not; neither changes a status.
  return status === "ERROR" ? "failed" : "not begun";
}

async function verifyContent(
  typed: TestClient,
  { id: sessionId, round }: DefinitionModel,
  fileId: string,
  content: Content | undefined,
): Promise<void> {
  const what = `the content of ${fileId} in definition ${sessionId} of round ${round}`;
  if (content === undefined) {
    const { reason } = await refusalOf(readBack(typed, { sessionId, fileId }));
    return expect(reason, what).toBe("NO_CONTENT");
  }
  const stored = await readBack(typed, { sessionId, fileId });
  expect(stored.equals(bytesOf(content)), what).toBe(true);
}

async function holds(typed: TestClient, model: DefinitionModel, fileId: string, content: Content): Promise<boolean> {
  return (await readBack(typed, { sessionId: model.id, fileId })).equals(bytesOf(content));
}

function statusesOf({ fileDefinitions }: FolioDefinition): Record<string, string> {
  return Object.fromEntries(fileDefinitions.map(({ id, status }) => [id, status]));
}
