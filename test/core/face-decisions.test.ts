// What a face decides within the core's own steps.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pseudoRandom } from "../support/bodies.js";
import { makeItem, type OpenedUploads, openUploads, startSession, storeFile } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const content = pseudoRandom(100);

describe("attributes that a face changes by the end of a session", () => {
  it("become the session's and the item file's in one step with completion, and a repeat asks nothing", async () => {
    const { uploads, alice, bob } = opened;
    const item = await makeItem(opened);
    const session = await startSession(uploads, alice, { itemId: item.id, attributes: { kept: 1 } });
    const place = await storeFile(uploads, alice, content, { sessionId: session.id, name: "a" });
    let asked = 0;
    const change = () => {
      asked++;
      return { session: { saved: true }, file: () => ({ description: "a tune" }) };
    };
    const refuse = () => {
      throw new RangeError("not so");
    };
    await expect(uploads.completeSession({ ...place, change: refuse }, alice)).rejects.toThrow("not so");
    expect((await uploads.getSession(place, alice)).state).toBe("active");
    const done = await uploads.completeSession({ ...place, change }, alice);
    expect(done).toMatchObject({ applied: true, session: { state: "done", attributes: { saved: true } } });
    expect(await uploads.getItemFile({ itemId: item.id, name: "a" }, bob)).toMatchObject({
      attributes: { description: "a tune" },
    });
    expect((await uploads.completeSession({ ...place, change }, alice)).applied).toBe(false);
    expect(asked).toBe(1);
  });

  it("are those of a cancelled session, too", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice, { attributes: { a: 1 } });
    const attributes = ({ attributes: before }: { attributes: object }) => ({ ...before, endedBy: "closing" });
    await uploads.cancelSession({ sessionId, attributes }, alice);
    const again = await uploads.cancelSession({ sessionId, attributes: () => ({}) }, alice);
    expect(again).toMatchObject({ applied: false, session: { attributes: { a: 1, endedBy: "closing" } } });
  });
});

describe("creating a session on an item", () => {
  it("is refused by `check`, which sees those that run there under the item's lock", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const check = (running: readonly unknown[]) => {
      if (running.length >= 3) throw new RangeError(`${running.length} run`);
    };
    const all = await Promise.allSettled(
      Array.from({ length: 6 }, () => startSession(uploads, alice, { itemId: item.id, check })),
    );
    expect(all.map(({ status }) => status).sort()).toEqual([
      ...Array(3).fill("fulfilled"),
      ...Array(3).fill("rejected"),
    ]);
  });
});
