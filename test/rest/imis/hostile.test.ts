// What clients do that mean harm, or do not know better: nobody loses anything by it, and no fault of theirs is the server's.
import { describe, expect, it } from "vitest";
import type { Call } from "../../../src/core/index.js";
import { pseudoRandom } from "../../support/bodies.js";
import { openHttp } from "../../support/http.js";
import { createFakeSource, createGate, contentOf as serveContent } from "../../support/content-source.js";
import { refusalOf } from "../../support/imis.js";
import { useUploads } from "./upload-scene.js";

const scene = useUploads();
const content = pseudoRandom(4096);

/** Whoever begins sessions here, as faces know them that see all sessions. */
async function ownerElsewhere(): Promise<Call> {
  const { origin: _, ...caller } = (await scene.callOf(scene.members.uploader)).caller;
  return { caller };
}

describe("a session into which another face has files fetched", () => {
  it("is not saved before they have come, and is saved with them then", async () => {
    const { uploads } = scene.opened;
    const at = await scene.begin();
    await at.client.putPart(at.handle, at.id, 0, content);
    const gate = createGate();
    const fake = createFakeSource();
    const uri = fake.serve(async (request, signal) => {
      await gate.wait(signal);
      return serveContent(content, request, signal);
    });
    const owner = await ownerElsewhere();
    await uploads.addFile({ sessionId: at.id, name: "fetched", source: { uri } }, owner);

    const refusal = await refusalOf(at.client.save(at.handle, at.id, { description: "tape" }));
    expect(refusal).toMatchObject({ status: 409, code: "state_conflict" });
    expect(refusal.text).toContain("fetched");
    expect(await at.client.session(at.handle, at.id)).toMatchObject({ state: "open", offset: content.length });
    expect(await scene.objectsOf(at.entity)).toEqual([]);

    const puller = uploads.createPuller({ source: fake.source, onEnd: () => undefined, onError: () => undefined });
    puller.start();
    try {
      gate.open();
      await expect
        .poll(() => at.client.save(at.handle, at.id, { description: "tape" }).then(({ size }) => size, String), {
          timeout: 20_000,
        })
        .toBe(content.length);
    } finally {
      await puller.stop();
    }
    expect(await scene.objectsOf(at.entity)).toHaveLength(2);
    expect(scene.unexpected).toEqual([]);
  });

  it("is not saved while their completion waits for them", async () => {
    const { uploads } = scene.opened;
    const at = await scene.begin();
    await at.client.putPart(at.handle, at.id, 0, content);
    const owner = await ownerElsewhere();
    const { files } = await uploads.viewSession({ sessionId: at.id }, owner);
    await uploads.finishFile({ sessionId: at.id, fileId: files[0]!.id }, owner);
    await uploads.addFile({ sessionId: at.id, name: "fetched", source: { uri: "https://example.com/never" } }, owner);
    const { session } = await uploads.completeSession({ sessionId: at.id }, owner);
    expect(session.state).toBe("completing");

    expect(await refusalOf(at.client.save(at.handle, at.id))).toMatchObject({ status: 409, code: "state_conflict" });
    expect(await scene.objectsOf(at.entity)).toEqual([]);
    await at.client.cancel(at.handle, at.id);
    expect(scene.unexpected).toEqual([]);
  });
});

describe("a connection that is kept", () => {
  it("holds on to none of the parts that were refused on it before they were read", async () => {
    const at = await scene.begin();
    await at.client.cancel(at.handle, at.id);
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    const http = openHttp(at.client.url, "1.1");
    const path = `/archives/${at.client.archive}/entities/H:${at.handle}/create_sessions/${at.id}`;
    const headers = { authorization: `Bearer ${at.client.token}`, "content-range": "0-99999" };
    try {
      for (let i = 0; i < 20; i++) {
        const { status } = await http.ask({ method: "PUT", path, headers, body: pseudoRandom(100_000) });
        expect(status).toBe(410);
      }
    } finally {
      http.close();
      process.off("warning", note);
    }
    expect(warnings.map(({ message }) => message)).toEqual([]);
  });
});
