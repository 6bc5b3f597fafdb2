import { expect, it } from "vitest";
import { type Completion, createId, type Session } from "../../../src/core/index.js";
import { type OpenStore, refOf, startSession, useWorld } from "./world.js";

/** The originals of content that was taken over: whom a session that is done leaves to be removed. */
export function describeRemovals(open: OpenStore): void {
  const world = useWorld(open);

  async function end(session: Session, removals: NonNullable<Completion["removals"]>, fails = false): Promise<void> {
    await world.store.completeSession(refOf(session), (view, now) => {
      const done = { ...view.session, state: "done" as const, endedAt: now, expiresAt: undefined };
      if (fails) throw new Error("no");
      return { session: done, events: [{ type: "session.done", details: {} }], removals };
    });
  }
  const noted = (name: string) => ({ uri: `file:///${name}`, validator: name });
  const take = async (limit = 10) => (await world.store.takeRemovals(limit)).map(({ uri }) => uri.slice(8)).sort();

  it("a session that is done leaves its originals to be removed, each of them once until it is due again", async () => {
    await end(await startSession(world), [noted("a"), noted("b"), noted("c")]);
    const [first, ...others] = [...(await world.store.takeRemovals(2)), ...(await world.store.takeRemovals(10))];
    expect([first, ...others].map((removal) => removal?.uri.slice(8)).sort()).toEqual(["a", "b", "c"]);
    expect(first).toEqual({ id: first?.id, ...noted(first!.validator) });
    expect(await take()).toEqual([]);
  });

  it("a completion that throws leaves none", async () => {
    await expect(end(await startSession(world), [noted("a")], true)).rejects.toThrow("no");
    expect(await take()).toEqual([]);
  });

  it("they outlive their session, and a start makes those due that were not seen to", async () => {
    const session = await startSession(world);
    await end(session, [noted("a"), noted("b")]);
    await world.store.deleteSession(refOf(session), () => {});
    const [one] = await world.store.takeRemovals(10);
    await world.store.dropRemoval(one!.id);
    await world.store.dropRemoval(one!.id);
    await world.store.dropRemoval(createId());
    await world.store.returnAllPulls();
    expect(await take()).toEqual(["a", "b"].filter((name) => name !== one!.validator));
  });
}
