import { readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { type CheckFinding, FindingKind, FindingRepair } from "../../gen/slipway/upload/v1/maintenance_pb.js";
import type { CheckStoreRequestSchema } from "../../gen/slipway/upload/v1/maintenance_service_pb.js";
import { messagesOf, refOf, upload } from "../support/blob-messages.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient, refusalOf, type TestClient, wires } from "../support/client.js";
import { startServer, type TestServer } from "../support/server.js";
import { damage } from "./damage.js";
import { storeFile } from "./scene.js";

let server: TestServer;
let seed = 900;
const fresh = (length: number) => pseudoRandom(length, seed++) as Uint8Array<ArrayBuffer>;
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server.kill());

type Asked = MessageInitShape<typeof CheckStoreRequestSchema>;

async function check(client: TestClient, asked: Asked = {}) {
  const findings: CheckFinding[] = [];
  const cases: (string | undefined)[] = [];
  for await (const { news } of client.maintenance.checkStore(asked)) {
    cases.push(news.case);
    if (news.case === "finding") findings.push(news.value);
    if (news.case === "summary") return { findings, cases, summary: news.value };
  }
  throw new Error("there was no summary");
}

it.each(wires)("over %s a sound store gets progress first, a summary last, and no finding", async (wire) => {
  const client = openClient(server, wire);
  await storeFile(client, fresh(200_000));
  await upload(client, messagesOf(fresh(500)));
  const { cases, findings, summary } = await check(client);
  expect([cases[0], cases.at(-1), findings]).toEqual(["progress", "summary", []]);
  expect(summary).toMatchObject({ checkedContents: 1n, checkedBlobs: 1n, checkedBytes: 200_500n, findings: 0n });
  client.close();
});

it("tells every kind of damage once, with who owns it, and repairs what it can", async () => {
  const client = openClient(server, "grpc/2");
  const { dataDir } = server;
  const [flipped, short, gone, lost] = [fresh(200_000), fresh(200_000), fresh(200_000), fresh(200_000)];
  const places = { flipped: await storeFile(client, flipped), short: await storeFile(client, short) };
  const goneAt = await storeFile(client, gone);
  await storeFile(client, gone);
  await upload(client, messagesOf(lost));
  await damage(dataDir, flipped.subarray(0, 64), async (path) => {
    const bytes = await readFile(path);
    bytes[1000]! ^= 1;
    await writeFile(path, bytes);
  });
  await damage(dataDir, short.subarray(0, 64), (path) => truncate(path, 1000));
  await damage(dataDir, gone.subarray(0, 64), (path) => rm(path));
  await damage(dataDir, lost.subarray(0, 64), (path) => rm(path));
  await writeFile(join(dataDir, "packs", "notes.txt"), "hello");

  const { findings, summary } = await check(client);
  expect(summary).toMatchObject({ findings: 5n, repaired: 0n });
  const { BYTES_MISSING, CONTENT_DAMAGED, FOREIGN } = FindingKind;
  expect(findings.map(({ kind }) => kind).sort()).toEqual(
    [BYTES_MISSING, BYTES_MISSING, BYTES_MISSING, CONTENT_DAMAGED, FOREIGN].sort(),
  );
  const first = findings.find(({ kind }) => kind === CONTENT_DAMAGED);
  const file = { case: "file", value: { ...places.flipped, name: "a.bin" } };
  expect(first).toMatchObject({ tenantName: "default", sizeBytes: 200_000n, offset: 0n, owners: [{ owner: file }] });
  expect(first?.expected?.checksum).toBe(refOf(flipped).digest);
  expect(first?.actual?.checksum).toMatch(/^[0-9a-f]{64}$/);
  const blob = findings.find(({ owners: [owner] }) => owner?.owner.case === "blob");
  expect(blob?.owners[0]?.owner.value).toMatchObject(refOf(lost));
  expect(findings.find(({ kind }) => kind === FOREIGN)).toMatchObject({ path: "packs/notes.txt", sizeBytes: 5n });

  const repaired = await check(client, { repair: true });
  expect(repaired.summary).toMatchObject({ findings: 5n, repaired: 4n });
  const left = repaired.findings.filter(({ repair }) => repair !== FindingRepair.DONE);
  expect(left.map(({ kind, repair }) => [kind, repair])).toEqual([[FOREIGN, FindingRepair.IMPOSSIBLE]]);
  for (const place of Object.values(places)) {
    const { file: after } = await client.files.getFile(place);
    expect(after?.state).toBe(FileState.FAILED);
  }
  expect((await client.files.getFile(goneAt)).file?.state).toBe(FileState.READY);
  expect((await upload(client, messagesOf(lost))).blobs[0]?.applied).toBe(true);
  expect((await check(client)).summary.findings).toBe(1n);
  client.close();
});

it("is refused with STORAGE_UNAVAILABLE where the medium is away, in every protocol, and repairs nothing", async () => {
  const client = openClient(server, "grpc/2");
  const content = fresh(200_000);
  await upload(client, messagesOf(content));
  const path = join(server.dataDir, "extents");
  await rename(path, `${path}-away`);
  for (const wire of wires.slice(0, 3)) {
    const other = openClient(server, wire);
    const { code, reason } = await refusalOf(check(other, { repair: true }));
    expect([code, reason]).toEqual(["UNAVAILABLE", "STORAGE_UNAVAILABLE"]);
    other.close();
  }
  await rename(`${path}-away`, path);
  expect((await check(client)).summary).toMatchObject({ checkedBlobs: 1n, findings: 0n });
  client.close();
});

describe("a client that leaves", () => {
  it.each(["grpc/2", "connect/1.1"] as const)("over %s ends its check, so that another one can begin", async (wire) => {
    const client = openClient(server, "grpc/2");
    for (let i = 0; i < 100; i++) await upload(client, messagesOf(fresh(150_000)));
    const leaving = openClient(server, wire);
    const controller = new AbortController();
    const news = leaving.maintenance.checkStore({}, { signal: controller.signal })[Symbol.asyncIterator]();
    await news.next();
    controller.abort();
    await expect(news.next()).rejects.toThrow();
    leaving.close();
    await expect
      .poll(
        () =>
          check(client).then(
            () => "checked",
            () => "busy",
          ),
        { timeout: 30_000 },
      )
      .toBe("checked");
    client.close();
  });
});
