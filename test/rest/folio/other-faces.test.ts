// Definitions that other faces have their hands in, over the real store.
import { afterAll, beforeAll, expect, it } from "vitest";
import { createId, type Permission } from "../../../src/core/index.js";
import { folioOrigin } from "../../../src/rest/folio/admission.js";
import type { FolioCall } from "../../../src/rest/folio/call.js";
import { createDefinitions, type Definitions } from "../../../src/rest/folio/definitions.js";
import { createExtensions } from "../../../src/rest/folio/extensions.js";
import { settleUpload } from "../../../src/rest/folio/status.js";
import { wireDefinition } from "../../../src/rest/folio/wire.js";
import { type OpenedUploads, openUploads } from "../../support/uploads.js";

const hourMs = 3_600_000;

let opened: OpenedUploads;
let definitions: Definitions;
let alice: FolioCall;

beforeAll(async () => {
  opened = await openUploads({ settlers: { [folioOrigin]: settleUpload } });
  const { uploads } = opened;
  const user = { id: createId(), name: "alice" };
  const permissions = new Set<Permission>(["read", "upload"]);
  const { tenantId } = await opened.metadata.ensureUser("diku", "alice");
  const caller = { tenantId, userId: user.id, permissions, origin: folioOrigin };
  alice = { caller, tenantName: "diku", user };
  definitions = createDefinitions({
    uploads,
    extensions: createExtensions(uploads),
    deadlines: { idleTtlMs: hourMs, absoluteTtlMs: undefined, keepTerminalMs: hourMs },
    maxFileBytes: 2 ** 40,
    freeBytes: async () => 2 ** 40,
    now: () => new Date(),
  });
});
afterAll(() => opened.close());

it("a file that another face adds to a definition is shown by its name, before and after it is uploaded", async () => {
  const { session } = await definitions.create({ fileDefinitions: [{ name: "marc.mrc" }] }, alice);
  const place = { sessionId: session.id };
  const { origin: _, ...anyFace } = alice.caller;
  const { file } = await opened.uploads.addFile({ ...place, name: "more.mrc" }, { caller: anyFace });
  const added = wireDefinition(await definitions.get({ id: session.id }, alice)).fileDefinitions.at(-1);
  expect(added).toMatchObject({ id: file.id, name: "more.mrc", status: "NEW" });

  const body = { lengthBytes: 3, bytes: bytesOf("abc") };
  const sent = wireDefinition(await definitions.upload({ id: session.id, fileId: file.id, body }, alice));
  expect(sent.fileDefinitions.at(-1)).toMatchObject({
    name: "more.mrc",
    status: "UPLOADED",
    sourcePath: `./storage/upload/${session.id}/${file.id}/more.mrc`,
  });
});

it("a file that another face sends moves its definition as an upload through this one does", async () => {
  const { session, files } = await definitions.create({ fileDefinitions: [{ name: "marc.mrc" }] }, alice);
  const { origin: _, ...anyFace } = alice.caller;
  const ending = () => ({ finish: true });
  const part = { sessionId: session.id, fileId: files[0]!.id, offset: 0, body: bytesOf("abc"), ending };
  await opened.uploads.writePart(part, { caller: anyFace });
  const shown = wireDefinition(await definitions.get({ id: session.id }, alice));
  expect(shown.status).toBe("LOADED");
  expect(shown.fileDefinitions[0]).toMatchObject({ status: "UPLOADED", uploadedDate: expect.any(Date) });
});

it("a definition that was completed through another face can be read and deleted, unless it is being processed", async () => {
  const { origin: _, ...anyFace } = alice.caller;
  const { uploads } = opened;
  for (const isProcessed of [false, true]) {
    const { session, files } = await definitions.create({ fileDefinitions: [{ name: "marc.mrc" }] }, alice);
    const { id } = session;
    await definitions.upload({ id, fileId: files[0]!.id, body: { lengthBytes: 3, bytes: bytesOf("abc") } }, alice);
    const words = { uploadDefinition: { id, fileDefinitions: [] }, jobProfileInfo: { id: createId() } };
    if (isProcessed) await definitions.process(words, alice);
    await uploads.completeSession({ sessionId: id }, { caller: anyFace });
    expect((await definitions.get({ id }, alice)).session.state).toBe("done");
    const removal = definitions.remove({ id }, alice);
    if (isProcessed) {
      const text = `Cannot delete uploadDefinition ${id} - linked files are already being processed`;
      await expect(removal).rejects.toMatchObject({ status: 400, message: text });
      continue;
    }
    await removal;
    await expect(definitions.get({ id }, alice)).rejects.toMatchObject({ status: 404 });
  }
});

it("files of one name that are added at the same time all come to be, each under a core name of its own", async () => {
  const { session } = await definitions.create({ fileDefinitions: [{ name: "marc.mrc" }] }, alice);
  const words = { name: "marc.mrc" };
  await Promise.all(Array.from({ length: 20 }, () => definitions.addFile({ id: session.id, words }, alice)));
  const { files } = await definitions.get({ id: session.id }, alice);
  expect(wireDefinition({ session, files }).fileDefinitions.map(({ name }) => name)).toEqual(
    Array(21).fill("marc.mrc"),
  );
  expect(new Set(files.map(({ name }) => name)).size).toBe(21);
});

async function* bytesOf(text: string) {
  yield new TextEncoder().encode(text);
}
