import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Call, Session, SessionView, SessionViewsInput, SessionWindow, Uploads } from "../../src/core/index.js";
import { type OpenedUploads, openUploads, startFile, startSession } from "../support/uploads.js";

let first: OpenedUploads;
let opened: OpenedUploads;
let uploads: Uploads;
/** What the store was asked for, and what it answered. */
let asked: { readonly window: SessionWindow; readonly views: readonly SessionView[] }[] = [];
beforeAll(async () => {
  first = await openUploads({
    wrapMetadata: (metadata) => ({
      ...metadata,
      async listSessionViews(tenantId, predicate, window) {
        const views = await metadata.listSessionViews(tenantId, predicate, window);
        asked.push({ window, views });
        return views;
      },
    }),
  });
});
afterAll(() => first.close());

async function empty(): Promise<void> {
  opened = await first.renew();
  uploads = opened.uploads;
  asked = [];
}

const everything: SessionViewsInput = { order: "newest", offset: 0, limit: Number.MAX_SAFE_INTEGER };

async function list(input: Partial<SessionViewsInput> = {}, call: Call = opened.alice): Promise<SessionView[]> {
  const views: SessionView[] = [];
  for await (const view of uploads.listSessionViews({ ...everything, ...input }, call)) views.push(view);
  return views;
}
const labelsOf = (views: readonly SessionView[]) => views.map(({ session }) => session.label);

/** The labels of so many new sessions, the oldest first; those of one millisecond are listed by their id. */
async function startMany(count: number): Promise<readonly string[]> {
  const sessions: Session[] = [];
  for (let n = 0; n < count; n++) sessions.push(await startSession(uploads, opened.alice, { label: String(n) }));
  const place = ({ createdAt, id }: Session) => `${createdAt.toISOString()} ${id}`;
  return sessions.sort((a, b) => (place(a) < place(b) ? -1 : 1)).map(({ label }) => label);
}

describe("a list of sessions with their files", () => {
  beforeAll(empty);

  it("shows what the caller may see, and so does the count", async () => {
    const { alice, bob, admin, otherTenant } = opened;
    const mine = await startSession(uploads, alice, { label: "mine" });
    const ours = await startSession(uploads, alice, { label: "ours", visibility: "tenant" });
    const { fileId } = await startFile(uploads, alice, { sessionId: ours.id, name: "a" });
    const shown = async (call: Call) => labelsOf(await list({}, call)).sort();
    expect(await shown(alice)).toEqual(["mine", "ours"]);
    expect(await shown(bob)).toEqual(["ours"]);
    expect(await shown(admin)).toEqual(["mine", "ours"]);
    expect(await shown(otherTenant)).toEqual([]);
    const counts = [alice, bob, admin, otherTenant].map((call) => uploads.countSessions({}, call));
    expect(await Promise.all(counts)).toEqual([2, 1, 2, 0]);
    const where = { field: "id", is: "in", value: [mine.id, ours.id] } as const;
    expect(labelsOf(await list({ where }, bob))).toEqual(["ours"]);
    expect(await uploads.countSessions({ where }, bob)).toBe(1);
    const view = await uploads.viewSession({ sessionId: ours.id }, bob);
    expect(view.files.map(({ id }) => id)).toEqual([fileId]);
    expect(await list({}, bob)).toEqual([view]);
  });

  it.each([
    [{ offset: -1 }, "NUMBER_INVALID"],
    [{ offset: 0.5 }, "NUMBER_INVALID"],
    [{ limit: Number.NaN }, "NUMBER_INVALID"],
    [{ limit: 2 ** 53 }, "NUMBER_INVALID"],
    [{ where: { field: "id", is: "in", value: "x" } as const }, "PREDICATE_INVALID"],
  ])("of %j is refused before the store is asked", async (input, reason) => {
    asked = [];
    await expect(list(input)).rejects.toMatchObject({ code: "invalid", details: { reason } });
    expect(asked).toEqual([]);
  });

  it("is denied, like the count, to whoever may not read", async () => {
    const powerless = { caller: { ...opened.alice.caller, permissions: new Set<never>() } };
    await expect(list({}, powerless)).rejects.toMatchObject({ code: "denied" });
    await expect(uploads.countSessions({}, powerless)).rejects.toMatchObject({ code: "denied" });
  });

  it("with a filter that is none is not counted", async () => {
    const where = { field: "id", is: "in", value: "x" } as const;
    await expect(uploads.countSessions({ where }, opened.alice)).rejects.toMatchObject({ code: "invalid" });
  });
});

describe("a list of many sessions with their files", () => {
  const count = 250;
  let labels: readonly string[];
  beforeAll(async () => {
    await empty();
    labels = await startMany(count);
  });

  it("is whole and in order, however it is cut into pieces that memory holds", async () => {
    asked = [];
    expect(labelsOf(await list())).toEqual([...labels].reverse());
    expect(asked.map(({ views }) => views.length)).toEqual([100, 100, 50]);
    expect(labelsOf(await list({ order: "oldest" }))).toEqual(labels);
  });

  it.each([
    [0, 0, 0],
    [0, 1, 1],
    [0, 100, 1],
    [0, 101, 2],
    [120, 110, 2],
    [249, 10, 1],
    [250, 10, 1],
    [2 ** 53 - 1, 10, 1],
  ])(
    "from %d on, %d of them, is asked of the store in as few pieces as that takes: %d",
    async (offset, limit, pieces) => {
      asked = [];
      expect(labelsOf(await list({ order: "oldest", offset, limit }))).toEqual(labels.slice(offset, offset + limit));
      expect(asked).toHaveLength(pieces);
    },
  );

  it("ends with the signal's reason between its pieces", async () => {
    const aborter = new AbortController();
    const call = { ...opened.alice, signal: aborter.signal };
    let seen = 0;
    const reading = async () => {
      for await (const _ of uploads.listSessionViews(everything, call)) if (++seen === 50) aborter.abort("enough");
    };
    await expect(reading()).rejects.toBe("enough");
    expect(seen).toBe(100);
  });

  it.each(["newest", "oldest"] as const)(
    "from the %s on neither repeats nor passes over one while others are removed and created",
    async (order) => {
      const before = await list({ order });
      // Between the first two pieces: one that was shown goes, one that is to come goes, and there is one more.
      const gone = [before[3]!, before[150]!];
      const seen: SessionView[] = [];
      for await (const view of uploads.listSessionViews({ ...everything, order, offset: 2 }, opened.alice)) {
        if (seen.push(view) !== 50) continue;
        for (const { session } of gone) {
          await uploads.cancelSession({ sessionId: session.id }, opened.alice);
          await uploads.deleteSession({ sessionId: session.id }, opened.alice);
        }
        await startSession(uploads, opened.alice, { label: "late" });
      }
      const expected = labelsOf(before.slice(2).filter((view) => view !== before[150]));
      expect(labelsOf(seen)).toEqual(order === "newest" ? expected : [...expected, "late"]);
    },
  );
});

it("a list holds few files at a time, and one session with very many by itself", { timeout: 60_000 }, async () => {
  await empty();
  const [small, large] = [3, 1000];
  await startMany(5);
  const sessions = (await list({ order: "oldest" })).map(({ session }) => session.id);
  for (const [n, sessionId] of sessions.entries()) {
    const files = n === 1 ? large : small;
    for (let file = 0; file < files; file++) await uploads.addFile({ sessionId, name: String(file) }, opened.alice);
  }
  asked = [];
  const views = await list({ order: "oldest" });
  expect(views.map(({ session, files }) => [session.id, files.length])).toEqual(
    sessions.map((id, n) => [id, n === 1 ? large : small]),
  );
  expect(asked.map((piece) => piece.views.length)).toEqual([2, 3]);
  expect(asked[1]?.window.after?.id).toBe(sessions[1]);
});
