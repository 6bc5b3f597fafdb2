// Clients of FOLIO's face that send, send again, break off and take away, and write down what was answered.
import { setTimeout as sleep } from "node:timers/promises";
import { type FolioClient, fileOf } from "../support/folio.js";
import { anyOf, bytesOf, planContent, sendSlowly } from "./content.js";
import { acknowledge, type DefinitionModel, modelOf, settle, type UploadedFile } from "./folio-model.js";
import type { Dice } from "./model.js";

/** Makes and fills definition after definition until the connection breaks. Rejects with what broke it. */
export async function importForEver(
  folio: FolioClient,
  dice: Dice,
  round: number,
  definitions: DefinitionModel[],
): Promise<never> {
  for (;;) {
    const names = Array.from({ length: 1 + dice.below(4) }, (_, n) => `file ${n}.mrc`);
    const model = modelOf(await folio.create(names), round);
    definitions.push(model);
    if (dice.chance(0.3)) await breakOff(folio, dice, model);
    if (dice.chance(0.5)) await uploadAll(folio, dice, model, model.files);
    else for (const file of model.files) await uploadAll(folio, dice, model, [file]);
    if (dice.chance(0.4)) await uploadAll(folio, dice, model, [anyOf(model.files, dice)]);
    if (dice.chance(0.2)) await removeFile(folio, model, anyOf(model.files, dice));
    if (dice.chance(0.2)) await remove(folio, model);
  }
}

/** At the same time, each with content of its own. */
export async function uploadAll(
  folio: FolioClient,
  dice: Dice,
  model: DefinitionModel,
  files: readonly UploadedFile[],
): Promise<void> {
  await Promise.all(
    files.map(async (file) => {
      const content = planContent(dice);
      const bytes = sendSlowly(bytesOf(content), dice.split());
      file.sending = content;
      const lengthBytes = dice.chance(0.5) ? content.sizeBytes : undefined;
      const { status, text } = await folio.upload(model.id, file.id, { bytes, lengthBytes });
      if (status !== 200) throw new Error(`an upload was answered with ${status}: ${text}`);
      acknowledge(model, file);
    }),
  );
  settle(model);
}

/** The client goes away in the middle of a file. */
async function breakOff(folio: FolioClient, dice: Dice, model: DefinitionModel): Promise<void> {
  const file = anyOf(model.files, dice);
  file.sending = { sizeBytes: 1_000_000, seed: 1 + dice.below(2 ** 31) };
  const upload = folio.begin(model.id, file.id, 1_000_000);
  await upload.send(bytesOf(file.sending).subarray(0, dice.below(900_000)));
  await statusOf(folio, model, file, (status) => status !== "NEW");
  upload.cut();
  await statusOf(folio, model, file, (status) => status === "ERROR");
  file.sending = undefined;
  file.status = "ERROR";
  settle(model);
}

/** Until a file is as it is expected to be. */
async function statusOf(
  folio: FolioClient,
  { id }: DefinitionModel,
  file: UploadedFile,
  expected: (status: string) => boolean,
): Promise<void> {
  while (!expected(fileOf(await folio.read(id), file.id).status)) await sleep(5);
}

async function removeFile(folio: FolioClient, model: DefinitionModel, file: UploadedFile): Promise<void> {
  model.removing = file.id;
  const { status, text } = await folio.removeFile(model.id, file.id);
  if (status !== 204) throw new Error(`taking a file away was answered with ${status}: ${text}`);
  model.removing = undefined;
  model.files = model.files.filter((other) => other !== file);
}

async function remove(folio: FolioClient, model: DefinitionModel): Promise<void> {
  model.removal = "asked";
  const { status, text } = await folio.remove(model.id);
  if (status !== 204) throw new Error(`taking a definition away was answered with ${status}: ${text}`);
  model.removal = "done";
}
