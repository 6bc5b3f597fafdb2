import type { BlobKey } from "../../blob.js";
import type { StoredPiece } from "../../ports/blob-store.js";
import { trashUnnamed } from "../sweep.js";
import type { CheckRun, Steps } from "./check-run.js";

const batchSize = 200;
/** How many keys of one unit are looked up again before it is told. */
const mostAgain = 1_000;

export interface Ages {
  /** Bytes that nothing names and that are older than this are told. */
  readonly litterMs: number;
  /** Those that are older than this are moved to the trash by a repair. */
  readonly keepMs: number;
}

/** Checks what lies in the store: what nothing names, and what no store makes. */
export async function* checkBytes(run: CheckRun, ages: Ages): Steps {
  yield* checkUnits(run, ages);
  for await (const { path: found, sizeBytes } of run.deps.blobs.listForeign()) {
    const path = formatPath(found);
    yield run.tell({
      kind: "foreign",
      owners: [],
      path,
      ...(sizeBytes !== undefined && { sizeBytes }),
      message: `${path} is not the store's, and is never touched; remove it by hand if nobody needs it`,
      repair: "impossible",
      repairMessage: "",
    });
    yield* run.tick();
  }
}

/** What a unit's pieces have shown so far. */
interface Unit {
  readonly piece: StoredPiece;
  readonly keys: BlobKey[];
  isNamed: boolean;
}

async function* checkUnits(run: CheckRun, ages: Ages): Steps {
  const { blobs, metadata } = run.deps;
  let unit: Unit | undefined;
  for await (const pieces of blobs.listStored({ batchSize })) {
    yield* run.tick();
    const keys = pieces.flatMap(({ key }) => key ?? []);
    const named = await metadata.findReferencedKeys(keys);
    // A pack goes when all of its keys were asked for, so all that are old enough are, as the sweeper does.
    if (run.repair) {
      const old = pieces.filter((piece) => ageOf(run, piece) >= ages.keepMs).flatMap(({ key }) => key ?? []);
      await trashUnnamed(
        run.deps,
        old.filter((key) => !named.has(key)),
      );
    }
    for (const piece of pieces) {
      if (unit !== undefined && unit.piece.unit !== piece.unit) yield* finishUnit(run, unit, ages);
      if (unit?.piece.unit !== piece.unit) unit = { piece, keys: [], isNamed: false };
      if (piece.key === undefined) continue;
      unit.isNamed ||= named.has(piece.key);
      if (unit.keys.length < mostAgain) unit.keys.push(piece.key);
    }
  }
  if (unit !== undefined) yield* finishUnit(run, unit, ages);
}

async function* finishUnit(run: CheckRun, { piece, keys, isNamed }: Unit, ages: Ages): Steps {
  if (isNamed) return;
  const age = ageOf(run, piece);
  if (age < ages.litterMs) {
    run.counts.youngKeys++;
    return;
  }
  const { blobs, metadata } = run.deps;
  // Whoever was about to name them may have done so, and the sweeper may have been faster.
  if (keys.length > 0 && (await metadata.findReferencedKeys(keys)).size > 0) return;
  const isOld = age >= ages.keepMs;
  if (run.repair && isOld && keys.length === 0) await trashEmpty(run, ages);
  const place = keys[0] === undefined ? undefined : (await blobs.findBytes(keys[0]))?.place;
  if (keys.length > 0 && place !== "stored" && !(run.repair && isOld)) return;
  const done = run.repair && isOld && (keys.length === 0 || place !== "stored");
  const what = keys.length === 0 ? "holds nothing that can be read" : "holds bytes that nothing names";
  yield run.tell({
    kind: "unreferenced",
    owners: [],
    blobKey: piece.unit,
    sizeBytes: piece.unitBytes,
    message: `${piece.unit} ${what}, last written at ${piece.writtenAt.toISOString()}`,
    repair: done ? "done" : "possible",
    repairMessage: done ? "it went to the trash, from which it can be restored for a while" : laterOf(isOld),
  });
}

function laterOf(isOld: boolean): string {
  return isOld
    ? "it goes to the trash, from which it can be restored for a while"
    : "it goes to the trash when it is as old as the server's own time says, and not before";
}

/** What has no key is moved by a listing, for there is nothing to name it by. */
async function trashEmpty(run: CheckRun, ages: Ages): Promise<void> {
  const writtenBefore = new Date(run.deps.clock.now().getTime() - ages.keepMs);
  for await (const _ of run.deps.blobs.listKeys({ writtenBefore, batchSize })) run.signal?.throwIfAborted();
}

function ageOf(run: CheckRun, { writtenAt }: StoredPiece): number {
  return run.deps.clock.now().getTime() - writtenAt.getTime();
}

/** A name may hold any byte. */
function formatPath(path: string): string {
  return /^[\x20-\x7e]*$/.test(path) ? path : JSON.stringify(path).slice(1, -1);
}
