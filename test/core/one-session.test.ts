import { randomInt } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Call,
  createUploads,
  defaultLimits,
  isUploadError,
  type MetadataStore,
  type SettleAttempt,
  type Uploads,
} from "../../src/core/index.js";
import { createDiskBlobStore } from "../../src/storage/disk/blob-store.js";
import { connectDatabase, type Database } from "../../src/storage/postgres/connect.js";
import { createMetadataStore } from "../../src/storage/postgres/metadata-store.js";
import { migrate } from "../../src/storage/postgres/migrate.js";
import { brokenBody, pseudoRandom, sendWhole, slices } from "../support/bodies.js";
import { openTestSchema, postgresAvailable } from "../support/postgres.js";
import { makeDataDir } from "../support/server.js";
import { startSession } from "../support/uploads.js";

/** Counts every end, and keeps of the last one what the others were. */
const settle: SettleAttempt = ({ session, file, others }) => ({
  session: {
    ...session.attributes,
    ends: Number(session.attributes.ends ?? 0) + 1,
    ready: others.ready + (file.state === "ready" ? 1 : 0),
    failed: others.failed + (file.state === "failed" ? 1 : 0),
  },
  file: { ...file.attributes, end: file.state },
});

describe.skipIf(!postgresAvailable())("fifty uploads into one session on PostgreSQL", () => {
  let schema: Awaited<ReturnType<typeof openTestSchema>>;
  let database: Database;
  let metadata: MetadataStore;
  let uploads: Uploads;
  let call: Call;
  let closeBlobs: () => Promise<void>;
  beforeAll(async () => {
    schema = await openTestSchema();
    const dataDir = await makeDataDir();
    database = await connectDatabase({ url: schema.url, dataDir, poolSize: 10, durability: "os" });
    await migrate(database.knex);
    metadata = createMetadataStore(database.knex);
    const blobs = await createDiskBlobStore({ dataDir, durability: "os" });
    closeBlobs = () => blobs.close();
    uploads = createUploads({
      metadata,
      blobs,
      clock: { now: () => new Date() },
      limits: { ...defaultLimits, checkpointMs: 20, checkpointBytes: 64 * 1024 },
      settlers: { test: settle },
    });
    call = {
      caller: { ...(await metadata.ensureUser("default", "alice")), permissions: new Set(["read", "upload"]) },
    };
  });
  afterAll(async () => {
    await metadata.close();
    await database.close();
    await closeBlobs();
    await schema.drop();
  });

  function sendAnew(sessionId: string, fileId: string, bytes: number, breaks: boolean) {
    const content = pseudoRandom(bytes, randomInt(1, 1e6));
    const body = breaks ? brokenBody(slices(content, 32 * 1024)) : sendWhole(content, 32 * 1024);
    const ending = () => ({ finish: true });
    return uploads.writePart({ sessionId, fileId, offset: 0, restart: true, body, ending, onInterrupt: "fail" }, call);
  }

  it("beside adds, removals, lists and breaks all end, and each end is settled once, without a deadlock", async () => {
    const files = Array.from({ length: 50 }, (_, at) => ({ name: `f${at}` }));
    const { id: sessionId } = await startSession(uploads, call, { files });
    const { files: declared } = await uploads.viewSession({ sessionId }, call);
    const unforeseen: unknown[] = [];
    const tally = { sent: 0, broken: 0, gone: 0, superseded: 0 };
    const foresee = (error: unknown) => {
      if (isUploadError(error, "superseded")) tally.superseded++;
      else if (isUploadError(error, "not_found")) tally.gone++;
      else if ((error as Error).message === "connection reset") tally.broken++;
      else unforeseen.push(error);
    };
    let over = false;
    const uploading = declared.map(async ({ id }, at) => {
      for (let round = 0; round < 2; round++) {
        const breaks = at % 5 === 0 && round < 1;
        await sendAnew(sessionId, id, [10, 200_000, 1_000_000][(at + round) % 3]!, breaks).then(() => {
          tally.sent++;
        }, foresee);
        if (at % 7 === 0) {
          const twice = [sendAnew(sessionId, id, 300_000, false), sendAnew(sessionId, id, 300_000, true)];
          await Promise.all(twice.map((one) => one.then(() => tally.sent++, foresee)));
        }
      }
    });
    const adding = (async () => {
      for (let at = 0; !over && at < 20; at++) {
        const { file } = await uploads.addFile({ sessionId, name: `more${at}` }, call);
        const sending = sendAnew(sessionId, file.id, 100_000, false).then(() => tally.sent++, foresee);
        if (at % 2 === 0) await uploads.removeFile({ sessionId, fileId: file.id }, call);
        await sending;
      }
    })();
    const listing = (async () => {
      while (!over) {
        const { session, files: shown } = await uploads.viewSession({ sessionId }, call);
        expect(shown).toHaveLength(session.fileCount);
        for await (const view of uploads.listSessionViews({ order: "newest", offset: 0, limit: 10 }, call)) {
          expect(view.files).toHaveLength(view.session.fileCount);
        }
      }
    })();
    await Promise.all([...uploading, adding]);
    over = true;
    await listing;
    expect(unforeseen).toEqual([]);
    const { session, files: after } = await uploads.viewSession({ sessionId }, call);
    const countOf = (state: string) => after.filter((file) => file.state === state).length;
    expect(countOf("ready") + countOf("failed")).toBe(after.length);
    expect(after).toHaveLength(session.fileCount);
    // Each end was settled once, and by none was another's forgotten.
    expect(session.attributes).toMatchObject({ ends: tally.sent + tally.broken });
    const { rows } = await database.knex.raw(
      "select deadlocks from pg_stat_database where datname = current_database()",
    );
    expect(rows).toEqual([{ deadlocks: 0 }]);
    for (const file of after) expect(file.attributes.end).toBe(file.state);
  }, 120_000);
});
