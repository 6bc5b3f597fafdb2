import { expect, it } from "vitest";
import { createId, type PageQuery, parsePage, type Session, type SessionFile } from "../../../src/core/index.js";
import { buildFile } from "../../support/builders.js";
import {
  addFile,
  extentOf,
  fileRefOf,
  type OpenStore,
  refOf,
  refusal,
  removeFile,
  sendFile,
  startSession,
  sweepContent,
  takeSeat,
  useWorld,
} from "./world.js";

export function describeFiles(open: OpenStore): void {
  const world = useWorld(open);

  it("a declared file is read back field by field, with its session", async () => {
    const session = await startSession(world);
    let declared: SessionFile | undefined;
    const result = await world.store.changeFile(refOf(session), { name: "a.iso" }, (view, now) => {
      expect(view).toEqual({ session, file: undefined });
      declared = buildFile({
        tenantId: world.tenantId,
        sessionId: session.id,
        name: "ä 'quoted\" ? $1 .iso",
        sizeBytes: 2 ** 53 - 1,
        checksums: [
          { algorithm: "sha256", value: "ab".repeat(32) },
          { algorithm: "crc32c", value: "01020304" },
        ],
        mediaType: "application/x-iso9660-image",
        onFailure: "session",
        attributes: { source: { uri: "https://x/?a=1" }, n: null },
        failure: { reason: "client", message: "later" },
        createdAt: now,
        modifiedAt: now,
      });
      return { file: declared, session: { ...session, fileCount: 1, modifiedAt: now }, events: [] };
    });
    expect(result.file).toEqual(declared);
    expect(result.session).toMatchObject({ id: session.id, fileCount: 1 });
    const read = await world.store.getFile(fileRefOf(declared!));
    const now = expect.any(Date);
    expect(read).toEqual({ session: await world.store.getSession(refOf(session)), file: declared, now });
    expect(read.now.getTime()).toBeGreaterThanOrEqual(result.session.modifiedAt.getTime());
    expect(read.session).toEqual(result.session);
  });

  it("a file of size 0 and a file of unknown size stay different", async () => {
    const session = await startSession(world);
    const files = [await addFile(world, session, { sizeBytes: 0 }), await addFile(world, session)];
    const read = await Promise.all(files.map((file) => world.store.getFile(fileRefOf(file))));
    expect(read.map(({ file }) => file.sizeBytes)).toEqual([0, undefined]);
  });

  it("changing finds a file by its id and by its name, and hands an unknown one to the change as undefined", async () => {
    const session = await startSession(world);
    const other = await startSession(world);
    const file = await addFile(world, session, { name: "a.bin" });
    await addFile(world, other, { name: "elsewhere.bin" });
    const found = async (key: { fileId: string } | { name: string }) => {
      let seen: SessionFile | undefined;
      const stop = new Error("seen enough");
      const look = world.store.changeFile(refOf(session), key, (view) => {
        seen = view.file;
        throw stop;
      });
      await expect(look).rejects.toBe(stop);
      return seen;
    };
    expect(await found({ fileId: file.id })).toEqual(file);
    expect(await found({ name: "a.bin" })).toEqual(file);
    expect(await found({ name: "A.bin" })).toBeUndefined();
    expect(await found({ name: "elsewhere.bin" })).toBeUndefined();
    expect(await found({ fileId: createId() })).toBeUndefined();
    expect(await world.store.getFile(fileRefOf(file))).toMatchObject({ file });
  });

  it("re-declaring a file that keeps its attempts keeps its content and its writer", async () => {
    const session = await startSession(world);
    const { file } = await sendFile(world, session, "a.bin");
    const seat = await takeSeat(world, file);
    await declare(file, (found) => ({ ...found, mediaType: "text/plain" }));
    const { file: kept } = await world.store.getFile(fileRefOf(file));
    expect(kept).toMatchObject({ mediaType: "text/plain", current: file.current, running: { id: seat.attempt.id } });
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 4) });
  });

  it("re-declaring a file without its attempts lets their content go and fences its writer (P7)", async () => {
    const session = await startSession(world);
    const { file, key } = await sendFile(world, session, "a.bin");
    const seat = await takeSeat(world, file);
    const extent = extentOf(seat, 4);
    await world.store.commitExtent({ attempt: seat.ref, extent });
    await declare(file, (found) => ({ ...found, state: "waiting", current: undefined, running: undefined }));
    expect((await world.store.getFile(fileRefOf(file))).file).toMatchObject({ current: undefined, running: undefined });
    await expect(world.store.commitExtent({ attempt: seat.ref, extent })).rejects.toEqual(refusal("superseded"));
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys([key, extent.blobKey])).toEqual(new Set());
    expect((await takeSeat(world, file)).attempt).toMatchObject({ number: 3, epoch: 1, offset: 0 });
  });

  it("removing a file takes it from the session, and its name may be declared again", async () => {
    const session = await startSession(world);
    const file = await addFile(world, session, { name: "a.bin" });
    await removeFile(world, file);
    await expect(world.store.getFile(fileRefOf(file))).rejects.toEqual(refusal("not_found", "FILE_NOT_FOUND"));
    expect((await world.store.listFiles(refOf(session), { limit: 10 })).things).toEqual([]);
    expect((await world.store.getSession(refOf(session))).fileCount).toBe(0);
    const again = await addFile(world, session, { name: "a.bin" });
    expect(again.id).not.toBe(file.id);
  });

  it("a change that throws leaves session, file and history as they were, whether it declares, re-declares or removes", async () => {
    const session = await startSession(world);
    const { file } = await sendFile(world, session, "a.bin");
    const before = await everything(session);
    for (const key of [{ name: "new.bin" }, { name: "a.bin" }, { fileId: file.id }]) {
      const stop = new RangeError("no");
      const deed = world.store.changeFile(refOf(session), key, () => {
        throw stop;
      });
      await expect(deed).rejects.toBe(stop);
    }
    expect(await everything(session)).toEqual(before);
  });

  it("changing a file of an unknown session fails with not_found", async () => {
    const ref = { tenantId: world.tenantId, sessionId: createId() };
    const deed = world.store.changeFile(ref, { name: "a" }, () => {
      throw new Error("never asked");
    });
    await expect(deed).rejects.toEqual(refusal("not_found", "SESSION_NOT_FOUND"));
  });

  it("getting a file under another session's id fails with not_found (P9)", async () => {
    const [one, two] = [await startSession(world), await startSession(world)];
    const file = await addFile(world, one);
    const deed = world.store.getFile({ ...fileRefOf(file), sessionId: two.id });
    await expect(deed).rejects.toEqual(refusal("not_found", "FILE_NOT_FOUND"));
    const unknown = world.store.getFile({ ...fileRefOf(file), sessionId: createId() });
    await expect(unknown).rejects.toEqual(refusal("not_found", "SESSION_NOT_FOUND"));
  });

  it("listing gives the files in the order they were added, also those of one millisecond", async () => {
    const session = await startSession(world);
    const createdAt = session.createdAt;
    const added: string[] = [];
    for (let n = 0; n < 40; n++) added.push((await addFile(world, session, { createdAt })).id);
    const first = await world.store.listFiles(refOf(session), { limit: 1000 });
    expect(first.things.map((file) => file.id)).toEqual(added);
    expect(first.nextCursor).toBeUndefined();
    expect((await listAll(session, 7)).map((file) => file.id)).toEqual(added);
  });

  it("listing goes on behind a file that was removed in between", async () => {
    const session = await startSession(world);
    const files: SessionFile[] = [];
    for (let n = 0; n < 6; n++) files.push(await addFile(world, session));
    const { things, nextCursor } = await world.store.listFiles(refOf(session), { limit: 3 });
    expect(things).toEqual(files.slice(0, 3));
    await removeFile(world, files[2]!);
    const rest = await world.store.listFiles(refOf(session), parsePage({ size: 10, cursor: nextCursor ?? "" }));
    expect(rest.things).toEqual(files.slice(3));
  });

  it("listing shows current content and running attempts as getting each file does", async () => {
    const session = await startSession(world);
    const { file } = await sendFile(world, session, "whole.bin");
    const both = await sendFile(world, session, "both.bin");
    const seat = await takeSeat(world, both.file);
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 3) });
    await addFile(world, session, { name: "none.bin" });
    const { things } = await world.store.listFiles(refOf(session), { limit: 10 });
    const read = await Promise.all(things.map(async (thing) => (await world.store.getFile(fileRefOf(thing))).file));
    expect(things).toEqual(read);
    expect(things.map((thing) => [thing.current?.id, thing.running?.offset])).toEqual([
      [file.current?.id, undefined],
      [both.file.current?.id, 3],
      [undefined, undefined],
    ]);
  });

  async function declare(file: SessionFile, change: (file: SessionFile) => SessionFile): Promise<void> {
    await world.store.changeFile(fileRefOf(file), { fileId: file.id }, (view) => ({
      file: change(view.file!),
      session: view.session,
      events: [],
    }));
  }

  async function everything(session: Session): Promise<unknown> {
    return [
      await world.store.getSession(refOf(session)),
      await world.store.listFiles(refOf(session), { limit: 100 }),
      await world.store.listEvents(refOf(session), 0, 100),
    ];
  }

  async function listAll(session: Session, size: number): Promise<SessionFile[]> {
    const found: SessionFile[] = [];
    let page: PageQuery | undefined = { limit: size };
    while (page) {
      const { things, nextCursor } = await world.store.listFiles(refOf(session), page);
      found.push(...things);
      page = nextCursor === undefined ? undefined : parsePage({ cursor: nextCursor, size });
    }
    return found;
  }
}
