// Whoever sends to the URL of an upload takes over from whoever was at it, however dead that one is.
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { pseudoRandom } from "../../support/bodies.js";
import { beginUpload, uploadBody } from "../../support/open-upload.js";
import { useVsphereServer } from "./vsphere-server.js";

const scene = useVsphereServer({
  env: { SLIPWAY_CHECKPOINT_INTERVAL: "200ms" },
});
const former = pseudoRandom(1_200_000, 1);
const later = pseudoRandom(1_200_000, 2);
/** Ten times what is promised. */
const mostMs = 1_000;

async function timed<T>(work: Promise<T>): Promise<readonly [T, number]> {
  const startedAt = performance.now();
  return [await work, performance.now() - startedAt];
}

/** A session with a file of which half has been sent, by somebody who then says nothing more. */
async function hang(through: (uri: string) => Promise<string> = async (uri) => uri) {
  const { vsphere } = scene;
  const itemId = await scene.item();
  const session = await vsphere.createSession(itemId);
  const spec = { name: "disk.vmdk", source_type: "PUSH", size: former.length };
  const { upload_endpoint: endpoint } = await vsphere.add(session, spec);
  const { uri } = endpoint!;
  const hanging = beginUpload({ method: "PUT", url: await through(uri) }, former.length);
  onTestFinished(() => hanging.cut());
  await hanging.send(former.subarray(0, 600_000));
  const shown = () => vsphere.file(session, "disk.vmdk");
  const offset = async () => (await shown()).bytes_transferred;
  while ((await offset()) === 0) await sleep(10);
  const finish = async () => {
    await vsphere.act(session, "complete");
    return vsphere.download(itemId, "disk.vmdk");
  };
  return { uri, hanging, shown, offset, finish };
}

/** A line whose far end never hears that its client has gone, as when the client loses its power. */
async function withoutFarewell(uri: string): Promise<string> {
  const { hostname, port, pathname } = new URL(uri);
  const line = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: hostname, port: Number(port) });
    onTestFinished(() => void upstream.destroy());
    client.on("data", (bytes) => upstream.write(bytes)).on("error", () => undefined);
    upstream.on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(line, "listening");
  onTestFinished(() => void line.close());
  return `http://127.0.0.1:${(line.address() as AddressInfo).port}${pathname}`;
}

it("a second PUT of all of the content takes over at once from one that hangs, which is told so and changes nothing more (P7)", async () => {
  const { uri, hanging, finish } = await hang();
  const sent = { bytes: [later], lengthBytes: later.length };
  const [{ status }, ms] = await timed(uploadBody({ method: "PUT", url: uri }, sent));
  expect(status).toBe(200);
  expect(ms).toBeLessThan(mostMs);

  const [answered, toldMs] = await timed(hanging.answer);
  expect([answered.status, JSON.parse(answered.text).value.messages[0].id]).toEqual([400, "slipway.writer_superseded"]);
  expect(toldMs).toBeLessThan(mostMs);
  void hanging.send(former.subarray(600_000));
  expect(Buffer.compare(await finish(), later)).toBe(0);
});

it("a second PUT goes on at once from what one that hangs has sent, by Content-Range (P3, P7)", async () => {
  const { uri, offset, finish } = await hang();
  const at = await offset();
  const headers = { "content-range": `bytes ${at}-${former.length - 1}/${former.length}` };
  const sent = { bytes: [former.subarray(at)], lengthBytes: former.length - at };
  const [{ status, text }, ms] = await timed(uploadBody({ method: "PUT", url: uri, headers }, sent));
  expect(status, text).toBe(200);
  expect(ms).toBeLessThan(mostMs);
  expect(Buffer.compare(await finish(), former)).toBe(0);
});

it("a second PUT takes over at once from a connection whose client vanished without a word (P7)", async () => {
  const { uri, hanging, shown, finish } = await hang(withoutFarewell);
  hanging.cut();
  await sleep(500);
  // The server has heard nothing: the file is being sent still.
  expect(await shown()).toMatchObject({ status: "TRANSFERRING" });
  const sent = { bytes: [later], lengthBytes: later.length };
  const [{ status }, ms] = await timed(uploadBody({ method: "PUT", url: uri }, sent));
  expect(status).toBe(200);
  expect(ms).toBeLessThan(mostMs);
  expect(Buffer.compare(await finish(), later)).toBe(0);
});

it("to ask how far it is takes nothing from whoever sends (P7)", async () => {
  const { uri, hanging, finish } = await hang();
  for (const method of ["GET", "HEAD"]) expect((await fetch(uri, { method })).status).toBe(200);
  await hanging.send(former.subarray(600_000));
  hanging.end();
  expect((await hanging.answer).status).toBe(200);
  expect(Buffer.compare(await finish(), former)).toBe(0);
});
