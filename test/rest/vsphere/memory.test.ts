// What this face costs in memory: uploads of any length, large requests, long lists.
import { createHash } from "node:crypto";
import { Agent } from "node:http";
import { beforeAll, describe, expect, it } from "vitest";
import { loginHeader } from "../../../src/rest/vsphere/admission.js";
import { growthDuring, mostGrowthMib } from "../../support/memory-growth.js";
import { makeBlocks } from "../../support/noise-blocks.js";
import { uploadBody } from "../../support/open-upload.js";
import { uploadMany } from "../../support/upload-load.js";
import { sessionFiles } from "../../support/vsphere.js";
import { useVsphereServer } from "./vsphere-server.js";

const mib = 2 ** 20;
const gib = 2 ** 30;
const scene = useVsphereServer();

beforeAll(async () => {
  // Node takes memory for its heap with the first work that it is given, and keeps it: that is no cost of an upload.
  await uploadMany(scene.server, { count: 16, sizeBytes: 16 * mib, chunkBytes: mib });
});

describe("one upload to a URL costs a server that has worked at most 96 MiB of resident memory", () => {
  async function upload(sizeBytes: number, lengthBytes: number | undefined) {
    const { server, vsphere } = scene;
    const itemId = await scene.item();
    const session = await vsphere.createSession(itemId);
    const { upload_endpoint: endpoint } = await vsphere.add(session, { name: "large.vmdk", source_type: "PUSH" });
    const { bytes, digest } = makeBlocks(sizeBytes / mib);
    const growth = await growthDuring(server.pid, async () => {
      const { status, text } = await uploadBody({ method: "PUT", url: endpoint!.uri }, { bytes, lengthBytes });
      expect(status, text).toBe(200);
    });
    expect(await vsphere.file(session, "large.vmdk")).toMatchObject({ status: "READY", size: sizeBytes });
    await vsphere.act(session, "complete");
    const { files } = await scene.client.catalog.listItemFiles({ itemId });
    const digests = files.flatMap(({ content }) => content?.checksums.map(({ checksum }) => checksum));
    const sent = digest();
    expect(digests).toContain(sent);
    return { itemId, growth, digest: sent };
  }
  // Of what is large, the server's own digest of all bytes that arrived has to do: to read it back takes longer than to send it.
  it("5 GiB of which the length is announced, which have the digest that was sent (P1, P10)", async () => {
    const { growth } = await upload(5 * gib, 5 * gib);
    expect(growth).toBeLessThanOrEqual(mostGrowthMib);
  }, 300_000);

  it("256 MiB in chunks of HTTP/1.1, and to read them back no more (P1, P10)", async () => {
    const { growth, itemId, digest } = await upload(gib / 4, undefined);
    expect(growth).toBeLessThanOrEqual(mostGrowthMib);
    const hash = createHash("sha256");
    const reading = await growthDuring(scene.server.pid, async () => {
      const bytes = await scene.vsphere.download(itemId, "large.vmdk");
      hash.update(bytes);
    });
    expect(hash.digest("hex")).toBe(digest);
    expect(reading).toBeLessThanOrEqual(mostGrowthMib);
  }, 300_000);
});

const mostBytes = 8 * mib;
const spec = { name: "a", source_type: "NONE" };
const fill = (piece: string, room: number) => piece.repeat(Math.floor(room / piece.length));
/** Each as large as a body may be, in the ways that make most of it. */
const bodies: Readonly<Record<string, readonly [type: string, text: string, status: number]>> = {
  "JSON of one long text": [
    "application/json",
    JSON.stringify({ file_spec: spec, more: fill("x", mostBytes - 80) }),
    200,
  ],
  "JSON of very many objects": [
    "application/json",
    `{"file_spec":${JSON.stringify(spec)},"more":[${fill("{},", mostBytes - 100)}{}]}`,
    400,
  ],
  "a form of one long value": [
    "application/x-www-form-urlencoded",
    `file_spec.name=${fill("%41", mostBytes - 40)}`,
    400,
  ],
  "XML of very many elements": ["application/xml", `<Add-Input>${fill("<a/>", mostBytes - 80)}</Add-Input>`, 400],
};

/** Texts, their pieces and what is made of them, and what the collector has not looked at yet, of a budget of 128 MiB. */
const mostForBodiesMib = 1_024;

describe("192 requests of 8 MiB at the same time", () => {
  it.each(Object.keys(bodies))(
    "of %s are all answered, for less than they have together (P10)",
    async (name) => {
      const { vsphere, server } = scene;
      const session = await vsphere.createSession(await scene.item());
      const [type, text, status] = bodies[name]!;
      const target = {
        method: "POST",
        url: `${server.url}${sessionFiles}/id:${session}?~action=add`,
        headers: { "content-type": type, [loginHeader]: vsphere.token },
        agent: new Agent(),
      };
      const bytes = Buffer.from(text);
      const growth = await growthDuring(server.pid, async () => {
        const asked = Array.from({ length: 192 }, () =>
          uploadBody(target, { bytes: [bytes], lengthBytes: bytes.length }),
        );
        const answers = await Promise.all(asked);
        expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([status]));
      });
      expect(growth).toBeLessThanOrEqual(mostForBodiesMib);
    },
    300_000,
  );
});
