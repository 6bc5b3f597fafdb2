import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Call, RecordChange, Uploads } from "../../../src/core/index.js";
import type { ImisCall } from "../../../src/rest/imis/call.js";
import { ImisError } from "../../../src/rest/imis/errors.js";
import { refusalOf } from "../../support/imis.js";
import { standingOf, startUpload } from "./entity-scene.js";
import { archive, type FaceScene, hour, useFace } from "./face-scene.js";

const scene = useFace({ limits: { maxHandles: 5 } });
/** Where an entity that nobody uses is forgotten within seconds. */
const hasty = useFace({ deadlines: { idleTtlMs: 2_000, absoluteTtlMs: 60_000, keepTerminalMs: 60_000 } });

async function open({ entities, makeEntity }: FaceScene, call: ImisCall) {
  const { handle } = await entities.open({ archive, entity: (await makeEntity()).id, mode: undefined }, call);
  return { archive, handle };
}
async function refused(deed: Promise<unknown>) {
  try {
    await deed;
  } catch (error) {
    if (error instanceof ImisError) return { code: error.code, text: error.message };
    throw error;
  }
  throw new Error("it was not refused");
}
/** A process whose changes of open handles are told before they are made. */
const watch = (on: (changes: readonly RecordChange[]) => unknown) => (uploads: Uploads) => ({
  ...uploads,
  async changeRecords(input: { readonly changes: readonly RecordChange[] }, call: Call) {
    if (input.changes.some(({ namespace }) => namespace === "imis.handle")) await on(input.changes);
    return uploads.changeRecords(input, call);
  },
});

describe("decision 30: a handle", () => {
  it("survives the process, and so does its closing", async () => {
    const call = await scene.callOf(scene.members.uploader);
    const [kept, closed] = [await open(scene, call), await open(scene, call)];
    const before = await scene.entities.use(kept, call);
    await scene.entities.close(closed, call);
    const { entities } = await scene.startProcess();
    expect(await entities.use(kept, call)).toEqual(before);
    expect((await refused(entities.use(closed, call))).code).toBe("handle_closed");
    expect(await entities.isClosed(closed.handle, call)).toBe(true);
    await entities.close(kept, call);
  });

  it("lives as long as it is used, which is not written down each time", async () => {
    const call = await scene.callOf(scene.members.uploader);
    const place = await open(scene, call);
    const written: Date[] = [];
    const { entities } = await scene.startProcess(watch(([change]) => written.push(change!.expiresAt!)));
    const using = async (ms: number) => {
      scene.elapse(ms);
      for (let times = 0; times < 3; times++) await entities.use(place, call);
      return written.length;
    };
    // A tenth of 24 hours.
    expect([await using(0), await using(2 * hour), await using(hour), await using(hour)]).toEqual([0, 0, 1, 1]);
    expect(written[0]!.getTime()).toBeGreaterThan(scene.now().getTime() + 22 * hour);
    await entities.close(place, call);
  });

  it("that nobody uses is forgotten: it is handle_not_found, and no closing, so its upload sessions go on", async () => {
    const call = await hasty.callOf(hasty.members.uploader);
    const [idle, used] = [await open(hasty, call), await open(hasty, call)];
    const entity = await hasty.entities.use(idle, call);
    const upload = await startUpload(hasty.uploads, entity, call);
    for (let times = 0; times < 30; times++) {
      await sleep(100);
      await hasty.entities.use(used, call);
    }
    expect((await refused(hasty.entities.use(idle, call))).code).toBe("handle_not_found");
    expect(await hasty.entities.isClosed(idle.handle, call)).toBe(false);
    await hasty.entities.close(idle, call);
    expect(await standingOf(hasty.uploads, upload, call)).toBe("active");
    expect(hasty.unexpected).toEqual([]);
  });

  it("is never brought back by a use that goes on while it is closed", async () => {
    const call = await scene.callOf(scene.members.uploader);
    const place = await open(scene, call);
    scene.elapse(12 * hour);
    const { entities } = await scene.startProcess(watch(() => scene.entities.close(place, call)));
    expect((await refused(entities.use(place, call))).code).toBe("handle_closed");
    expect((await refused(scene.entities.use(place, call))).code).toBe("handle_closed");
    const prefix = `${call.caller.userId}/${place.handle}`;
    expect(await scene.uploads.listRecords({ namespace: "imis.handle", prefix, limit: 10 }, call)).toEqual([]);
  });

  it("is put off by one of many that use it at the same time, and closed by one of many that close it", async () => {
    const call = await scene.callOf(scene.members.uploader);
    const place = await open(scene, call);
    scene.elapse(12 * hour);
    const uses = await Promise.all(Array.from({ length: 20 }, () => scene.entities.use(place, call)));
    expect(new Set(uses.map(({ handle }) => handle))).toEqual(new Set([place.handle]));
    await Promise.all(Array.from({ length: 20 }, () => scene.entities.close(place, call)));
    expect((await refused(scene.entities.use(place, call))).code).toBe("handle_closed");
  });
});

describe("decision 20: a handle", () => {
  it("is its user's, by whichever login", async () => {
    const [first, second] = [await scene.callOf(scene.members.uploader), await scene.callOf(scene.members.uploader)];
    const place = await open(scene, first);
    expect(await scene.entities.use(place, second)).toEqual(await scene.entities.use(place, first));
    await scene.entities.close(place, second);
    expect((await refused(scene.entities.use(place, first))).code).toBe("handle_closed");
  });

  it("is as unknown to everybody else as one that there never was, also when it is closed", async () => {
    const mine = await scene.callOf(scene.members.uploader);
    const place = await open(scene, mine);
    const unknown = { archive, handle: "00000000-0000-4000-8000-000000000000" };
    const words = (handle: string) => `there is no open entity with the handle "${handle}"`;
    for (const isClosed of [false, true]) {
      if (isClosed) await scene.entities.close(place, mine);
      for (const member of [scene.members.other, scene.members.admin, scene.stranger]) {
        const call = await scene.callOf(member);
        for (const asked of [place, unknown]) {
          expect(await refused(scene.entities.use(asked, call))).toEqual({
            code: "handle_not_found",
            text: words(asked.handle),
          });
        }
        expect(await scene.entities.isClosed(place.handle, call)).toBe(false);
      }
    }
  });

  it("is unknown in another archive, and whatever is no handle is unknown everywhere", async () => {
    await scene.uploads.createLibrary({ name: "second archive" }, scene.opened.admin);
    const call = await scene.callOf(scene.members.uploader);
    const place = await open(scene, call);
    for (const asked of [
      { ...place, archive: "second archive" },
      ...["", "17", "a/b", "\0", "\ud800"].map(inArchive),
    ]) {
      expect((await refused(scene.entities.use(asked, call))).code).toBe("handle_not_found");
    }
    expect((await refused(scene.entities.use({ ...place, archive: "nowhere" }, call))).code).toBe("archive_not_found");
    await scene.entities.close(place, call);
  });
});

const inArchive = (handle: string) => ({ archive, handle });

describe("decision 24: entities that one user has open", () => {
  it("are bounded exactly, and one that is closed makes room", async () => {
    const { id } = await scene.makeEntity();
    const client = await scene.client(scene.members.other);
    const opening = Array.from({ length: 20 }, () => client.openEntity(id));
    const opened = (await Promise.allSettled(opening)).flatMap((one) =>
      one.status === "fulfilled" ? [one.value] : [],
    );
    expect(opened.length).toBe(5);
    const refusal = await refusalOf(client.openEntity(id));
    expect([refusal.status, refusal.code, refusal.details, refusal.headers["retry-after"]]).toEqual([
      ...[429, "too_many_handles"],
      { limit: 5, setting: "SLIPWAY_IMIS_MAX_HANDLES" },
      "60",
    ]);
    await client.closeEntity(opened[0]!);
    await client.openEntity(id);
    expect((await refusalOf(client.openEntity(id))).code).toBe("too_many_handles");
    // Nobody else is any the wiser.
    await (await scene.client(scene.members.admin)).openEntity(id);
  });
});
