// Sessions that nothing happens to, and what counts as something. How long a session has left is read through the typed
// API, which does not keep alive what it looks at.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { SessionState } from "../../../gen/slipway/upload/v1/session_pb.js";
import { serve } from "../../sources/web.js";
import { openHttp } from "../../support/http.js";
import { send, updateSessions } from "../../support/vsphere.js";
import { operationsOn, refused, refusedBy, until, uploadUrlOf } from "./update-scene.js";
import { useVsphereServer, type VsphereServer } from "./vsphere-server.js";

const bytes = Buffer.from("an image");
const text = "the session has expired: nothing happened before its deadline";
const error = { id: "slipway.expired", default_message: text, args: [] };
const ttlMs = 2_000;

async function deadlineOf({ client }: VsphereServer, sessionId: string): Promise<number> {
  const { session } = await client.sessions.getSession({ sessionId });
  const { seconds, nanos } = session!.expireTime!;
  return Number(seconds) * 1000 + nanos / 1e6;
}

const whoNotices = [
  ["before anybody has noticed", "1h"],
  ["after the sweeper has come by", "100ms"],
] as const;

describe.each(whoNotices)("a session without activity, %s", { concurrent: true }, (_when, interval) => {
  const env = { SLIPWAY_VSPHERE_SESSION_TTL: `${ttlMs}ms`, SLIPWAY_SWEEP_INTERVAL: interval };
  const scene = useVsphereServer({ env });
  const state = async (sessionId: string) => (await scene.client.sessions.getSession({ sessionId })).session!.state;
  async function expired(files: Readonly<Record<string, Uint8Array>> = {}) {
    const itemId = await scene.item(files);
    const id = await scene.vsphere.createSession(itemId);
    const { upload_endpoint: endpoint } = await scene.vsphere.push(id, "a.bin", bytes);
    await sleep(ttlMs + 50);
    if (interval !== "1h")
      await until(
        () => state(id),
        (is) => is === SessionState.FAILED,
      );
    else expect(await state(id)).toBe(SessionState.ACTIVE);
    return { itemId, id, url: endpoint!.uri };
  }

  it("is in ERROR and says that it has expired, and nothing of it has become visible (P5)", async () => {
    const { itemId, id, url } = await expired({ "a.bin": Buffer.from("before") });
    for (let look = 0; look < 3; look++) {
      expect(await scene.vsphere.session(id)).toMatchObject({ state: "ERROR", error_message: error });
    }
    expect(refusedBy(await send(url, bytes)).slice(0, 2)).toEqual([404, "not_found"]);
    expect(Buffer.from(await scene.vsphere.download(itemId, "a.bin")).toString()).toBe("before");
  });

  it.each(["keep_alive", "update", "complete", "cancel", "fail", "file.add", "file.remove", "file.validate"])(
    "does not come back by %s",
    async (operation) => {
      const { id } = await expired();
      expect(await refused(operationsOn(scene.vsphere, id)[operation]!())).toEqual([
        400,
        "not_allowed_in_current_state",
        "slipway.session_state",
        [operation.replace("file.", ""), "ERROR", text],
      ]);
      expect(await scene.vsphere.session(id)).toMatchObject({ state: "ERROR" });
    },
  );

  it("stands in nobody's way: the item takes another one, and the expired one can be deleted", async () => {
    const { itemId, id } = await expired();
    const next = await scene.vsphere.createSession(itemId);
    await scene.vsphere.value("DELETE", `${updateSessions}/id:${id}`);
    expect((await refused(scene.vsphere.session(id))).slice(0, 2)).toEqual([404, "not_found"]);
    expect(await scene.vsphere.session(next)).toMatchObject({ state: "ACTIVE" });
  });
});

describe("a session that is over", { concurrent: true }, () => {
  const env = {
    SLIPWAY_VSPHERE_SESSION_TTL: "1s",
    SLIPWAY_VSPHERE_SESSION_KEEP: "1s",
    SLIPWAY_SWEEP_INTERVAL: "100ms",
  };
  const scene = useVsphereServer({ env });
  const isGone = (sessionId: string) =>
    until(
      () =>
        scene.client.sessions.getSession({ sessionId }).then(
          () => "there",
          ({ code }) => Code[code as Code],
        ),
      (is) => is !== "there",
    );

  it.each([
    ["has expired", undefined],
    ["was completed", "complete"],
    ["was canceled", "cancel"],
    ["has failed", "fail"],
  ])(
    "because it %s is gone after its time: not_found, also to the token that it was made with",
    async (_why, action) => {
      const itemId = await scene.item();
      const token = randomUUID();
      const id = await scene.vsphere.createSession(itemId, token);
      if (action !== undefined) await scene.vsphere.act(id, action);
      expect(await isGone(id)).toBe("NotFound");
      for (const [operation, ask] of Object.entries(operationsOn(scene.vsphere, id))) {
        expect((await refused(ask())).slice(0, 2), operation).toEqual([404, "not_found"]);
      }
      expect(await scene.vsphere.value("GET", `${updateSessions}?library_item_id=${itemId}`)).toEqual([]);
      expect((await refused(scene.vsphere.createSession(itemId, token))).slice(0, 2)).toEqual([404, "not_found"]);
    },
  );
});

describe("what puts the deadline off", () => {
  const env = {
    SLIPWAY_VSPHERE_SESSION_TTL: "20s",
    SLIPWAY_CHECKPOINT_INTERVAL: "100ms",
    SLIPWAY_PULL_ALLOW: "127.0.0.1",
  };
  const scene = useVsphereServer({ env });

  it.each(["get", "keep_alive", "update", "file.add", "file.get", "file.list", "file.remove", "file.validate"])(
    "%s",
    { concurrent: true },
    async (operation) => {
      const id = await scene.vsphere.createSession(await scene.item());
      await scene.vsphere.push(id, "a.bin", bytes);
      const before = await deadlineOf(scene, id);
      // Of what only looks, not every one is written down.
      await sleep(2_200);
      await operationsOn(scene.vsphere, id)[operation]!();
      expect(await deadlineOf(scene, id)).toBeGreaterThanOrEqual(before + 2_000);
    },
  );

  it("listing sessions, and asking for another one on the item, does not", async () => {
    const itemId = await scene.item();
    const id = await scene.vsphere.createSession(itemId);
    const before = await deadlineOf(scene, id);
    await scene.vsphere.value("GET", updateSessions);
    await refused(scene.vsphere.createSession(itemId));
    expect(await deadlineOf(scene, id)).toBe(before);
  });

  /** Waits until the deadline has been put off twice while nothing but bytes moves. */
  async function movesTwice(id: string): Promise<void> {
    for (let times = 0; times < 2; times++) {
      const before = await deadlineOf(scene, id);
      await until(
        () => deadlineOf(scene, id),
        (now) => now > before,
      );
    }
  }

  it("bytes that flow slowly into an upload URL, before the file is whole", async () => {
    const id = await scene.vsphere.createSession(await scene.item());
    const file = await scene.vsphere.add(id, { name: "slow.bin", source_type: "PUSH" });
    let flows = true;
    let sent = 0;
    async function* drip() {
      for (; flows; sent++) {
        yield bytes.subarray(0, 1);
        await sleep(20);
      }
    }
    const http = openHttp(scene.server.url, "1.1");
    const answer = http.ask({ method: "PUT", path: new URL(uploadUrlOf(file)).pathname, body: drip() });
    await movesTwice(id);
    flows = false;
    expect((await answer).status).toBe(200);
    expect(await scene.vsphere.file(id, "slow.bin")).toMatchObject({ status: "READY", size: sent });
    http.close();
  });

  it("bytes that are fetched slowly, also while the completion waits for them", async () => {
    let flows = true;
    const web = await serve(async (_request, response) => {
      response.writeHead(200);
      for (; flows; await sleep(20)) response.write("x");
      response.end();
    });
    const id = await scene.vsphere.createSession(await scene.item());
    const source_endpoint = { uri: `${web.url}/slow.bin` };
    await scene.vsphere.add(id, { name: "slow.bin", source_type: "PULL", source_endpoint });
    await movesTwice(id);
    await scene.vsphere.act(id, "complete");
    await movesTwice(id);
    flows = false;
    await until(
      () => scene.vsphere.session(id),
      ({ state }) => state === "DONE",
    );
  });
});

describe("the login under which a file was declared", () => {
  const env = { SLIPWAY_TOKEN_TTL: "5s", SLIPWAY_CHECKPOINT_INTERVAL: "100ms" };
  const scene = useVsphereServer({ env });

  it("is kept alive by the bytes that flow, which carry none themselves, so that the completion is let in", async () => {
    const id = await scene.vsphere.createSession(await scene.item());
    const file = await scene.vsphere.add(id, { name: "slow.bin", source_type: "PUSH" });
    async function* drip() {
      // Longer than an idle login lives.
      for (let step = 0; step < 160; step++) {
        yield bytes;
        await sleep(50);
      }
    }
    const http = openHttp(scene.server.url, "1.1");
    const answer = await http.ask({ method: "PUT", path: new URL(uploadUrlOf(file)).pathname, body: drip() });
    expect(answer.status).toBe(200);
    await scene.vsphere.act(id, "complete");
    http.close();
  });

  it("ends when nothing moves: 401", async () => {
    await scene.vsphere.value("GET", updateSessions);
    await sleep(5_500);
    const answer = await scene.vsphere.ask("GET", updateSessions);
    expect([answer.status, JSON.parse(answer.text).type]).toEqual([401, "com.vmware.vapi.std.errors.unauthenticated"]);
  });
});
