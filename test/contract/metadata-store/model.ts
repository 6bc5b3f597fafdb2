// Random sequences of deeds by several actors, each compared with what a few maps say must come of it.
import fc from "fast-check";
import { expect, it } from "vitest";
import type { BlobKey, Extent, Item, Session, SessionFile } from "../../../src/core/index.js";
import {
  addFile,
  codeOf,
  complete,
  endBy,
  extentOf,
  finishSeat,
  type OpenStore,
  refOf,
  removeFile,
  type Seat,
  startItem,
  startSession,
  sweepContent,
  takeSeat,
  useWorld,
  type World,
} from "./world.js";

type Deed = { readonly deed: SessionDeed } | FileDeed | SeatDeed;

type SessionDeed = "complete" | "cancel" | "sweep";

interface FileDeed {
  readonly deed: "add" | "remove";
  readonly name: string;
}

interface SeatDeed {
  readonly deed: "resume" | "restart" | "commit" | "accept" | "reject";
  readonly name: string;
  readonly actor: number;
  /** How much a commit adds. */
  readonly length: number;
}

const name = fc.constantFrom("a", "b");
const actor = fc.nat(2);
const length = fc.integer({ min: 1, max: 9 });
const onSeat = (...deeds: SeatDeed["deed"][]) => fc.record({ deed: fc.constantFrom(...deeds), name, actor, length });
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 30, arbitrary: fc.record({ deed: fc.constant("add" as const), name }) },
  { weight: 10, arbitrary: fc.record({ deed: fc.constant("remove" as const), name }) },
  { weight: 60, arbitrary: onSeat("resume", "restart") },
  { weight: 80, arbitrary: onSeat("commit") },
  { weight: 50, arbitrary: onSeat("accept", "accept", "reject") },
  { weight: 25, arbitrary: fc.record({ deed: fc.constantFrom("complete" as const, "sweep" as const) }) },
  { weight: 3, arbitrary: fc.record({ deed: fc.constant("cancel" as const) }) },
);

interface ModelAttempt {
  readonly number: number;
  epoch: number;
  extents: Extent[];
}

interface ModelFile {
  readonly file: SessionFile;
  state: string;
  attempts: number;
  running: ModelAttempt | undefined;
  current: ModelAttempt | undefined;
}

interface Model {
  state: "active" | "done" | "canceled";
  readonly files: Map<string, ModelFile>;
  readonly itemFiles: Map<string, { version: number; content: ModelAttempt }>;
  contentVersion: number;
  events: number;
  /** Per actor and name: the seat it took last, and how much it has written in it. */
  readonly seats: Map<
    string,
    { readonly seat: Seat; readonly epoch: number; readonly of: ModelAttempt; extent: Extent }
  >;
  readonly keys: BlobKey[];
}

const lengthOf = (attempt: ModelAttempt) => attempt.extents.reduce((sum, { length }) => sum + length, 0);

export function describeModel(open: OpenStore): void {
  const world = useWorld(open);

  it("any sequence of deeds by three actors ends as a simple account of it says (P2, P4, P5, P7, P8)", async () => {
    const item = await startItem(world);
    const property = fc.asyncProperty(fc.array(deed, { minLength: 10, maxLength: 60, size: "max" }), (deeds) =>
      replay(world, item, deeds),
    );
    await fc.assert(property, { numRuns: 25, endOnFailure: true });
  });
}

interface Stage {
  readonly world: World;
  readonly session: Session;
  readonly model: Model;
  /** Versions of the item's files before the session. */
  readonly versions: ReadonlyMap<string, number>;
}

async function replay(world: World, item: Item, deeds: readonly Deed[]): Promise<void> {
  const before = await world.store.listItemFiles(world.tenantId, item.id, { limit: 10 });
  const session = await startSession(world, { itemId: item.id, removals: before.map((file) => file.name) });
  const { contentVersion } = await world.store.getItem(world.tenantId, item.id);
  const maps = { files: new Map(), itemFiles: new Map(), seats: new Map() };
  const model: Model = { ...maps, state: "active", contentVersion, events: 1, keys: [] };
  const stage = { world, session, model, versions: new Map(before.map((file) => [file.name, file.version])) };
  for (const step of deeds) {
    if ("actor" in step) await playOnSeat(stage, step);
    else if ("name" in step) await playOnFile(stage, step);
    else await playOnSession(stage, step.deed);
  }
  await assertSame(world, session, item, model);
}

/** Waits for the deed, which must end with one of the codes. */
async function ends(codes: readonly string[], deed: Promise<unknown>): Promise<void> {
  expect(codes).toContain(await codeOf(deed));
}

async function playOnSession({ world, session, model, versions }: Stage, deed: SessionDeed): Promise<void> {
  const active = model.state === "active";
  if (deed === "sweep") return sweepContent(world.store);
  if (deed === "cancel") {
    await ends([model.state === "done" ? "wrong_state" : "ok"], endBy(world, session, "cancel"));
    if (!active) return;
    model.state = "canceled";
    for (const file of model.files.values()) Object.assign(file, { running: undefined, current: undefined });
  } else {
    const whole = [...model.files.values()].every((file) => file.state === "ready");
    const code = model.state === "canceled" ? "wrong_state" : active && !whole ? "incomplete" : "ok";
    await ends([code], complete(world, session));
    if (!active || !whole) return;
    model.state = "done";
    model.contentVersion++;
    for (const [name, { current }] of model.files) {
      model.itemFiles.set(name, { version: (versions.get(name) ?? 0) + 1, content: current! });
    }
  }
  model.events++;
}

async function playOnFile({ world, session, model }: Stage, { deed, name }: FileDeed): Promise<void> {
  const active = model.state === "active";
  const known = model.files.get(name);
  if (deed === "remove") {
    if (!known) return;
    await ends([active ? "ok" : "wrong_state"], removeFile(world, known.file));
    if (!active) return;
    model.files.delete(name);
  } else {
    if (!active || known) return ends([known ? "already_exists" : "wrong_state"], addFile(world, session, { name }));
    const file = await addFile(world, session, { name });
    model.files.set(name, { file, state: "waiting", attempts: 0, running: undefined, current: undefined });
  }
  model.events++;
}

async function playOnSeat(stage: Stage, { deed, name, actor, length }: SeatDeed): Promise<void> {
  const { world, model } = stage;
  const place = `${actor} ${name}`;
  const known = model.files.get(name);
  if (deed === "resume" || deed === "restart") return known && playClaim(stage, place, known, deed);
  const held = model.seats.get(place);
  if (!held) return;
  const active = model.state === "active";
  // The file may have been removed and declared anew under the same name since.
  const seated = known?.running === held.of && held.of.epoch === held.epoch;
  const codes = active ? [seated ? "ok" : "superseded"] : ["wrong_state", "superseded"];
  if (deed === "commit") {
    const extent = { ...held.extent, length: held.extent.length + length };
    await ends(codes, world.store.commitExtent({ attempt: held.seat.ref, extent }));
    if (!active || !seated) return;
    held.of.extents = [...held.of.extents.filter(({ epoch }) => epoch !== held.epoch), extent];
    held.extent = extent;
    return;
  }
  const extent = held.extent.length > 0 ? held.extent : undefined;
  await ends(codes, finishSeat(world, held.seat, deed, { extent }));
  if (!active || !seated || !known) return;
  known.running = undefined;
  known.state = deed === "accept" ? "ready" : "failed";
  if (deed === "accept") known.current = held.of;
  model.events++;
}

async function playClaim(
  { world, model }: Stage,
  place: string,
  known: ModelFile,
  deed: "resume" | "restart",
): Promise<void> {
  if (model.state !== "active") return ends(["wrong_state"], takeSeat(world, known.file, deed));
  const seat = await takeSeat(world, known.file, deed);
  if (deed === "restart" || !known.running) known.running = { number: ++known.attempts, epoch: 1, extents: [] };
  else known.running.epoch++;
  known.state = "transferring";
  const { number, epoch } = known.running;
  expect(seat.attempt).toEqual({ id: seat.attempt.id, number, epoch, offset: lengthOf(known.running) });
  expect(await world.store.listExtents(seat.attempt.id)).toEqual(known.running.extents);
  const extent = extentOf(seat, 0);
  model.keys.push(extent.blobKey);
  model.seats.set(place, { seat, epoch, of: known.running, extent });
}

async function assertSame(world: World, session: Session, item: Item, model: Model): Promise<void> {
  const { tenantId } = world;
  const stored = await world.store.getSession(refOf(session));
  expect([stored.state, stored.fileCount, stored.lastEvent]).toEqual([model.state, model.files.size, model.events]);

  const { things } = await world.store.listFiles(refOf(session), { limit: 100 });
  expect(new Set(things.map((file) => file.name))).toEqual(new Set(model.files.keys()));
  const named: BlobKey[] = [];
  for (const file of things) {
    const { state, attempts, running, current } = model.files.get(file.name)!;
    expect([file.state, file.attempts]).toEqual([state, attempts]);
    const { id: _, ...attempt } = file.running ?? { id: "" };
    const { number, epoch } = running ?? {};
    expect(attempt).toEqual(running ? { number, epoch, offset: lengthOf(running) } : {});
    for (const [actual, expected] of [
      [file.running, running],
      [file.current, current],
    ] as const) {
      expect(actual === undefined).toBe(expected === undefined);
      if (!actual || !expected) continue;
      expect(await world.store.listExtents(actual.id)).toEqual(expected.extents);
      named.push(...expected.extents.map(({ blobKey }) => blobKey));
    }
  }

  expect((await world.store.getItem(tenantId, item.id)).contentVersion).toBe(model.contentVersion);
  if (model.state === "done") {
    const files = await world.store.listItemFiles(tenantId, item.id, { limit: 10 });
    expect(new Set(files.map((file) => file.name))).toEqual(new Set(model.itemFiles.keys()));
    for (const file of files) {
      const { version, content } = model.itemFiles.get(file.name)!;
      expect(file.version).toBe(version);
      expect(await world.store.listExtents(file.content.id)).toEqual(content.extents);
    }
  }
  await sweepContent(world.store);
  const referenced = await world.store.findReferencedKeys(model.keys);
  expect([...referenced].sort()).toEqual([...new Set(named)].sort());
}
