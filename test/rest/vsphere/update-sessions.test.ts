// An update session from its creation to its end, as a script sees it over HTTP, against real server processes.
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import { serve } from "../../sources/web.js";
import { postgresAvailable } from "../../support/postgres.js";
import { updateSessions } from "../../support/vsphere.js";
import { logInAs, operationsOn, refusalOf, refused, uploadUrlOf } from "./update-scene.js";
import { useVsphereServer } from "./vsphere-server.js";

const bytes = Buffer.from("an image");
const everything = ["get", "file.get", "file.list"];
const setups = [{ database: "embedded" }, { database: "PostgreSQL" }] as const;
const env = { SLIPWAY_PULL_ALLOW: "127.0.0.1" };

for (const { database } of setups) {
  describe.runIf(database === "embedded" || postgresAvailable())(`over ${database}`, () => {
    const scene = useVsphereServer({ database, env });
    const open = async (
      files: Readonly<Record<string, Uint8Array>> = {},
      more: Readonly<Record<string, Uint8Array>> = {},
    ) => {
      const itemId = await scene.item(files);
      const id = await scene.vsphere.createSession(itemId);
      for (const [name, content] of Object.entries(more)) await scene.vsphere.push(id, name, content);
      return { itemId, id };
    };

    describe("a new session", () => {
      it("is ACTIVE, knows the item's content version and its deadline, and has no error", async () => {
        const { itemId, id } = await open({ "a.bin": bytes });
        const { expiration_time: expires, ...session } = await scene.vsphere.session(id);
        expect(session).toEqual({
          id,
          library_item_id: itemId,
          library_item_content_version: "2",
          client_progress: 0,
          state: "ACTIVE",
          preview_info: { state: "NOT_APPLICABLE" },
        });
        expect(expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        const leftMs = Date.parse(expires) - Date.now();
        expect(leftMs).toBeGreaterThan(50 * 60_000);
        expect(leftMs).toBeLessThan(70 * 60_000);
      });

      it("on an item that is not there, or whose id is none, is not_found", async () => {
        const create = (id: string) => refused(scene.vsphere.createSession(id));
        expect((await create(randomUUID())).slice(0, 2)).toEqual([404, "not_found"]);
        expect((await create("obj-103")).slice(0, 2)).toEqual([404, "not_found"]);
      });
    });

    describe("in each state", () => {
      /** How a session comes to where it is. */
      const ways: Readonly<Record<string, { state: string; go(id: string): Promise<unknown> }>> = {
        ACTIVE: { state: "ACTIVE", go: async () => undefined },
        DONE: { state: "DONE", go: (id) => scene.vsphere.act(id, "complete") },
        CANCELED: { state: "CANCELED", go: (id) => scene.vsphere.act(id, "cancel") },
        "ERROR by its client": {
          state: "ERROR",
          go: (id) => scene.vsphere.act(id, "fail", { client_error_message: "the disk was pulled out" }),
        },
      };
      const reasons: Readonly<Record<string, string>> = { "ERROR by its client": "the disk was pulled out" };
      const isAllowed = (way: string, operation: string) =>
        everything.includes(operation) || (operation === "delete") === (way !== "ACTIVE");
      const rows = Object.keys(ways).flatMap((way) =>
        ["get", "keep_alive", "update", "complete", "cancel", "fail", "delete"]
          .concat(["add", "get", "list", "remove", "validate"].map((operation) => `file.${operation}`))
          .map((operation) => ({ way, operation, answer: isAllowed(way, operation) ? "allowed" : "refused" })),
      );

      it.each(rows)("$way: $operation is $answer", async ({ way, operation, answer }) => {
        const { id } = await open({}, { "a.bin": bytes });
        const { state, go } = ways[way]!;
        await go(id);
        const deed = operationsOn(scene.vsphere, id)[operation]!();
        if (answer === "allowed") await deed;
        else {
          expect(await refused(deed)).toEqual([
            400,
            "not_allowed_in_current_state",
            "slipway.session_state",
            [operation.replace("file.", ""), state, reasons[way] ?? ""],
          ]);
          expect((await scene.vsphere.session(id)).state).toBe(state);
        }
      });

      it.each(["get", "keep_alive", "update", "complete", "cancel", "fail", "delete"])(
        "gone or never there: %s is not_found",
        async (operation) => {
          const { id } = await open();
          await scene.vsphere.act(id, "cancel");
          await scene.vsphere.value("DELETE", `${updateSessions}/id:${id}`);
          for (const unknown of [id, randomUUID(), "obj-103"]) {
            const answer = await refused(operationsOn(scene.vsphere, unknown)[operation]!());
            expect(answer.slice(0, 2)).toEqual([404, "not_found"]);
          }
        },
      );

      it.each(["add", "get", "list", "remove", "validate"])(
        "gone or never there: file.%s is not_found",
        async (operation) => {
          for (const unknown of [randomUUID(), "obj-103", `${randomUUID()}:${randomUUID()}`]) {
            const answer = await refused(operationsOn(scene.vsphere, unknown)[`file.${operation}`]!());
            expect(answer.slice(0, 2)).toEqual([404, "not_found"]);
          }
        },
      );

      it("a completion that waits for what is being fetched is ACTIVE, takes no more files, and can be ended", async () => {
        const web = await serve((_request, response) => void response.write("the beginning"));
        const wait = async () => {
          const { id } = await open({ "a.bin": bytes });
          const source = { uri: `${web.url}/big.iso` };
          await scene.vsphere.add(id, { name: "big.iso", source_type: "PULL", size: 1e6, source_endpoint: source });
          await scene.vsphere.act(id, "complete");
          return id;
        };
        const id = await wait();
        const on = operationsOn(scene.vsphere, id);
        expect(await scene.vsphere.session(id)).toMatchObject({ state: "ACTIVE" });
        for (const operation of ["get", "keep_alive", "complete", "file.get", "file.list", "file.validate", "update"]) {
          await on[operation]!();
        }
        for (const operation of ["delete", "file.add", "file.remove"]) {
          expect(await refused(on[operation]!()), operation).toEqual([
            400,
            "not_allowed_in_current_state",
            "slipway.session_state",
            [operation.replace("file.", ""), "ACTIVE", "it is being completed"],
          ]);
        }
        await on.cancel!();
        expect(await scene.vsphere.session(id)).toMatchObject({ state: "CANCELED" });
        const other = await wait();
        await scene.vsphere.act(other, "fail");
        expect(await scene.vsphere.session(other)).toMatchObject({ state: "ERROR" });
      });

      it("the refusal says the state and its reason in words, for both generations of the API", async () => {
        const { id } = await open();
        await scene.vsphere.act(id, "fail", { client_error_message: "the disk was pulled out" });
        const text = "complete is not allowed while the session is in state ERROR: the disk was pulled out";
        const { messages } = await refusalOf(scene.vsphere.act(id, "complete"));
        expect(messages.map(({ default_message }) => default_message)).toEqual([text]);
        const path = `/api/content/library/item/update-session/${id}?action=complete`;
        const answer = await scene.vsphere.ask("POST", path);
        expect([answer.status, JSON.parse(answer.text)]).toEqual([
          400,
          {
            error_type: "NOT_ALLOWED_IN_CURRENT_STATE",
            messages: [
              {
                id: "slipway.session_state",
                default_message: text,
                args: ["complete", "ERROR", "the disk was pulled out"],
              },
            ],
          },
        ]);
      });
    });

    describe("one item has one active session", () => {
      it("and another one is resource_busy, until the first is over", async () => {
        const { itemId, id } = await open();
        const busy = await refused(scene.vsphere.createSession(itemId));
        expect(busy.slice(0, 3)).toEqual([400, "resource_busy", "slipway.item_busy"]);
        const path = "/api/content/library/item/update-session";
        const newer = await scene.vsphere.ask("POST", path, { body: { library_item_id: itemId } });
        expect([newer.status, JSON.parse(newer.text).error_type]).toEqual([500, "RESOURCE_BUSY"]);
        for (const action of ["cancel", "fail", "complete"]) {
          const [open] = await scene.vsphere.value<string[]>("GET", `${updateSessions}?library_item_id=${itemId}`);
          await scene.vsphere.act(open!, action);
          expect(await scene.vsphere.createSession(itemId)).not.toBe(id);
        }
      });

      it("also when twenty are asked for at once: exactly one of them is created", async () => {
        const itemId = await scene.item();
        const all = await Promise.allSettled(Array.from({ length: 20 }, () => scene.vsphere.createSession(itemId)));
        const created = all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
        const others = all.flatMap((one) => (one.status === "rejected" ? [one.reason.type] : []));
        expect([created.length, others]).toEqual([1, Array.from({ length: 19 }, () => "resource_busy")]);
      });

      it("whichever face it came through", async () => {
        const { itemId } = await open();
        await expect(scene.client.sessions.createSession({ itemId })).rejects.toThrow(/open session/);
        const other = await scene.item();
        await scene.client.sessions.createSession({ itemId: other });
        expect((await refused(scene.vsphere.createSession(other))).slice(0, 2)).toEqual([400, "resource_busy"]);
      });
    });

    describe("a client token", () => {
      it("makes the same session of the same words, whatever the case of its digits, also where the item is busy", async () => {
        const itemId = await scene.item();
        const token = randomUUID();
        const id = await scene.vsphere.createSession(itemId, token);
        expect(await scene.vsphere.createSession(itemId, token)).toBe(id);
        expect(await scene.vsphere.createSession(itemId, token.toUpperCase())).toBe(id);
        const spec = { library_item_id: itemId };
        const path = "/api/content/library/item/update-session";
        const newer = await scene.vsphere.ask("POST", path, { body: spec, headers: { "client-token": token } });
        expect([newer.status, JSON.parse(newer.text)]).toEqual([201, id]);
        await scene.vsphere.act(id, "cancel");
        expect(await scene.vsphere.createSession(itemId, token)).toBe(id);
      });

      it("of twenty creations at once makes one session, and all are told the same", async () => {
        const itemId = await scene.item();
        const token = randomUUID();
        const ids = await Promise.all(Array.from({ length: 20 }, () => scene.vsphere.createSession(itemId, token)));
        expect(new Set(ids).size).toBe(1);
      });

      it("with other words is invalid_argument, and creates nothing", async () => {
        const itemId = await scene.item();
        const token = randomUUID();
        const id = await scene.vsphere.createSession(itemId, token);
        const other = await scene.item();
        expect((await refused(scene.vsphere.createSession(other, token))).slice(0, 3)).toEqual([
          400,
          "invalid_argument",
          "slipway.client_token_reused",
        ]);
        expect(await scene.vsphere.value("GET", `${updateSessions}?library_item_id=${other}`)).toEqual([]);
        const create_spec = {
          library_item_id: itemId,
          warning_behavior: [{ type: "EXPIRED_CERTIFICATE", ignored: true }],
        };
        const warned = scene.vsphere.value("POST", updateSessions, { client_token: token, create_spec });
        expect((await refused(warned)).slice(0, 2)).toEqual([400, "invalid_argument"]);
        expect((await scene.vsphere.session(id)).warning_behavior).toBeUndefined();
      });

      it("that is no UUID is invalid_argument", async () => {
        const itemId = await scene.item();
        for (const token of ["", "once", randomUUID().slice(1), `${randomUUID()}0`, randomUUID().replaceAll("-", "")]) {
          expect(await refused(scene.vsphere.createSession(itemId, token)), token).toEqual([
            400,
            "invalid_argument",
            "slipway.client_token_malformed",
            [token],
          ]);
        }
        expect(await scene.vsphere.value("GET", `${updateSessions}?library_item_id=${itemId}`)).toEqual([]);
      });

      it("whose session was deleted gives its id still, and creates no other one", async () => {
        const itemId = await scene.item();
        const token = randomUUID();
        const id = await scene.vsphere.createSession(itemId, token);
        await scene.vsphere.act(id, "cancel");
        await scene.vsphere.value("DELETE", `${updateSessions}/id:${id}`);
        expect(await scene.vsphere.createSession(itemId, token)).toBe(id);
        expect(await scene.vsphere.value("GET", `${updateSessions}?library_item_id=${itemId}`)).toEqual([]);
        const again = await scene.vsphere.createSession(itemId, randomUUID());
        expect(again).not.toBe(id);
      });

      it("of another user is another one", async () => {
        const token = randomUUID();
        const { vsphere } = await logInAs(scene, Role.UPLOADER);
        const mine = await scene.vsphere.createSession(await scene.item(), token);
        const theirs = await vsphere.createSession(await scene.item(), token);
        expect(theirs).not.toBe(mine);
      });
    });

    describe("who sees a session", () => {
      it("is who created it: to another user it is not there (P9)", async () => {
        const { id } = await open({}, { "a.bin": bytes });
        const { vsphere } = await logInAs(scene, Role.UPLOADER);
        for (const [operation, ask] of Object.entries(operationsOn(vsphere, id))) {
          expect((await refused(ask())).slice(0, 2), operation).toEqual([404, "not_found"]);
        }
        expect(await vsphere.value("GET", updateSessions)).toEqual([]);
        expect(await scene.vsphere.session(id)).toMatchObject({ state: "ACTIVE" });
      });

      it("and who administers their tenant, who may look at it and end it", async () => {
        const { vsphere } = await logInAs(scene, Role.UPLOADER);
        const id = await vsphere.createSession(await scene.item());
        expect(await scene.vsphere.session(id)).toMatchObject({ id, state: "ACTIVE" });
        await scene.vsphere.act(id, "cancel");
        expect(await vsphere.session(id)).toMatchObject({ state: "CANCELED" });
      });

      it("is nobody of another tenant, its administrator included: neither session nor item is there (P9)", async () => {
        const { itemId, id } = await open({}, { "a.bin": bytes });
        const { vsphere } = await logInAs(scene, Role.ADMIN, "elsewhere");
        for (const [operation, ask] of Object.entries(operationsOn(vsphere, id))) {
          expect((await refused(ask())).slice(0, 2), operation).toEqual([404, "not_found"]);
        }
        expect(await vsphere.value("GET", updateSessions)).toEqual([]);
        expect((await refused(vsphere.createSession(itemId))).slice(0, 2)).toEqual([404, "not_found"]);
        const ofItem = refused(vsphere.value("GET", `${updateSessions}?library_item_id=${itemId}`));
        expect((await ofItem).slice(0, 2)).toEqual([404, "not_found"]);
        expect(await scene.vsphere.session(id)).toMatchObject({ state: "ACTIVE" });
      });

      it("lists their own, in every state, of all items or of one; an item that is not there is not_found", async () => {
        const { vsphere } = await logInAs(scene, Role.UPLOADER);
        const first = await scene.item();
        const second = await scene.item();
        const canceled = await vsphere.createSession(first);
        await vsphere.act(canceled, "cancel");
        const active = await vsphere.createSession(first);
        const done = await vsphere.createSession(second);
        await vsphere.act(done, "complete");
        const theirs = await open();
        const list = async (query = "") => (await vsphere.value<string[]>("GET", updateSessions + query)).sort();
        expect(await list()).toEqual([canceled, active, done].sort());
        expect(await list(`?library_item_id=${first}`)).toEqual([canceled, active].sort());
        expect(await list(`?library_item_id=${first.toUpperCase()}`)).toEqual([canceled, active].sort());
        expect(await list(`?library_item_id=${theirs.itemId}`)).toEqual([]);
        for (const missing of [randomUUID(), "obj-103"]) {
          expect((await refused(list(`?library_item_id=${missing}`))).slice(0, 2)).toEqual([404, "not_found"]);
        }
        // Who administers the tenant lists their own, too.
        const all = await scene.vsphere.value<string[]>("GET", updateSessions);
        expect(all).toContain(theirs.id);
        for (const id of [canceled, active, done]) expect(all).not.toContain(id);
      });

      it("finds none here that came through another face", async () => {
        const itemId = await scene.item();
        const { session } = await scene.client.sessions.createSession({ itemId });
        expect(await scene.vsphere.value<string[]>("GET", updateSessions)).not.toContain(session!.id);
        expect(await scene.vsphere.value("GET", `${updateSessions}?library_item_id=${itemId}`)).toEqual([]);
        for (const ask of Object.values(operationsOn(scene.vsphere, session!.id))) {
          expect((await refused(ask())).slice(0, 2)).toEqual([404, "not_found"]);
        }
      });
    });

    describe("completing", () => {
      it("with no changes is DONE and leaves the item's content version as it was", async () => {
        const { itemId, id } = await open({ "a.bin": bytes });
        const before = await scene.vsphere.item(itemId);
        await scene.vsphere.act(id, "complete");
        expect(await scene.vsphere.session(id)).toMatchObject({ state: "DONE" });
        expect(await scene.vsphere.item(itemId)).toEqual(before);
      });

      it("counts the content version up by one, and the versions of the files that changed", async () => {
        const { vsphere } = scene;
        const itemId = await scene.item();
        const versions = async () => {
          const files = await vsphere.itemFiles(itemId);
          const { content_version: content, size } = await vsphere.item(itemId);
          return { content, size, ...Object.fromEntries(files.map(({ name, version }) => [name, version])) };
        };
        const change = async (work: (id: string) => Promise<unknown>) => {
          const id = await vsphere.createSession(itemId);
          await work(id);
          const { library_item_content_version: seen } = await vsphere.session(id);
          await vsphere.act(id, "complete");
          // What the session was created on.
          expect((await vsphere.session(id)).library_item_content_version).toBe(seen);
          return { seen, ...(await versions()) };
        };
        expect(await versions()).toEqual({ content: "1", size: 0 });
        expect(
          await change(async (id) => {
            await vsphere.push(id, "a", Buffer.from("one"));
            await vsphere.push(id, "b", Buffer.from("two"));
          }),
        ).toEqual({ seen: "1", content: "2", size: 6, a: "1", b: "1" });
        expect(await change((id) => vsphere.push(id, "a", Buffer.from("other")))).toEqual({
          seen: "2",
          content: "3",
          size: 8,
          a: "2",
          b: "1",
        });
        expect(await change((id) => vsphere.remove(id, "b"))).toEqual({ seen: "3", content: "4", size: 5, a: "2" });
        expect(await change((id) => vsphere.push(id, "b", Buffer.from("anew")))).toMatchObject({
          content: "5",
          a: "2",
        });
        // Removed and sent again in one session it is the same file in a newer version.
        expect(
          await change(async (id) => {
            await vsphere.remove(id, "a");
            await vsphere.push(id, "a", Buffer.from("third"));
          }),
        ).toMatchObject({ seen: "5", content: "6", a: "3" });
      });

      it("after all files are removed leaves an item without content", async () => {
        const { itemId, id } = await open({ "a.bin": bytes, "b.bin": bytes });
        for (const name of ["a.bin", "b.bin"]) await scene.vsphere.remove(id, name);
        expect(await scene.vsphere.files(id)).toEqual([]);
        await scene.vsphere.act(id, "complete");
        expect(await scene.vsphere.itemFiles(itemId)).toEqual([]);
        expect(await scene.vsphere.item(itemId)).toMatchObject({ content_version: "3", size: 0 });
      });
    });

    describe("failing", () => {
      it("keeps the client's message as the session's error_message", async () => {
        const { id } = await open();
        await scene.vsphere.act(id, "fail", { client_error_message: "Größe unbekannt" });
        const { state, error_message } = await scene.vsphere.session(id);
        expect([state, error_message]).toEqual([
          "ERROR",
          { id: "slipway.client", default_message: "Größe unbekannt", args: [] },
        ]);
      });

      it.each([
        ["no body", undefined],
        ["an empty object", {}],
        ["an empty message", { client_error_message: "" }],
      ])("with %s has an error_message all the same", async (_words, body) => {
        const { id } = await open();
        await scene.vsphere.act(id, "fail", body);
        const { state, error_message } = await scene.vsphere.session(id);
        expect([state, error_message]).toEqual([
          "ERROR",
          { id: "slipway.client", default_message: "the client gave the session up", args: [] },
        ]);
      });
    });

    describe("ending a session without completing it", () => {
      it.each(["cancel", "fail"])(
        "by %s lets go of what was sent: nothing of it is ever in the item (P5)",
        async (how) => {
          const { itemId, id } = await open({ "a.bin": bytes });
          const push = await scene.vsphere.push(id, "a.bin", Buffer.from("never seen"));
          await scene.vsphere.push(id, "b.bin", Buffer.from("never seen"));
          await scene.vsphere.act(id, how);
          expect(await scene.vsphere.itemFiles(itemId)).toMatchObject([
            { name: "a.bin", size: bytes.length, version: "1" },
          ]);
          expect(await scene.vsphere.item(itemId)).toMatchObject({ content_version: "2", size: bytes.length });
          expect(Buffer.from(await scene.vsphere.download(itemId, "a.bin"))).toEqual(bytes);
          const response = await fetch(uploadUrlOf(push), { method: "PUT", body: "too late" });
          expect(response.status).toBe(404);
          for (const file of await scene.vsphere.files(id)) {
            // What was sent has gone, and where it was sent to leads nowhere.
            expect(file).toMatchObject({ status: "WAITING_FOR_TRANSFER", bytes_transferred: 0 });
            expect((await fetch(uploadUrlOf(file))).status).toBe(404);
          }
        },
      );
    });
  });
}

describe("a session that is kept alive", () => {
  const scene = useVsphereServer();
  const progressOf = async (id: string) => (await scene.vsphere.session(id)).client_progress;
  const keep = (id: string, client_progress?: number) => scene.vsphere.act(id, "keep-alive", { client_progress });

  it("takes progress that does not fall, up to 100, and keeps what it knew where none is said", async () => {
    const id = await scene.vsphere.createSession(await scene.item());
    for (const [told, is] of [
      [1, 1],
      [40, 40],
      [undefined, 40],
      [40, 40],
      [100, 100],
    ] as const) {
      await keep(id, told);
      expect(await progressOf(id)).toBe(is);
    }
  });

  it.each([
    ["less than before", 9],
    ["less than nothing", -1],
    ["more than 100", 101],
  ])("refuses progress that is %s", async (_words, told) => {
    const id = await scene.vsphere.createSession(await scene.item());
    await keep(id, 10);
    expect((await refused(keep(id, told))).slice(0, 3)).toEqual([400, "invalid_argument", "slipway.progress_invalid"]);
    expect(await progressOf(id)).toBe(10);
  });

  it("puts its deadline off", async () => {
    const id = await scene.vsphere.createSession(await scene.item());
    const before = await scene.vsphere.session(id);
    await keep(id);
    const after = await scene.vsphere.session(id);
    expect(Date.parse(after.expiration_time)).toBeGreaterThan(Date.parse(before.expiration_time));
  });
});

describe("updating a session", () => {
  const scene = useVsphereServer();
  const update = (id: string, update_spec: object) =>
    scene.vsphere.value("PATCH", `${updateSessions}/id:${id}`, { update_spec });

  it("changes warning_behavior as a whole, and nothing else that is said", async () => {
    const itemId = await scene.item();
    const create_spec = {
      library_item_id: itemId,
      id: "obj-103",
      state: "DONE",
      client_progress: 10,
      library_item_content_version: "7",
      error_message: { id: "x", default_message: "x", args: ["x"] },
      expiration_time: "2013-06-06T22:13:05",
      warning_behavior: [{ type: "SELF_SIGNED_CERTIFICATE", ignored: true }],
    };
    const id = await scene.vsphere.value<string>("POST", updateSessions, { create_spec });
    const before = await scene.vsphere.session(id);
    expect(before).toMatchObject({
      id,
      state: "ACTIVE",
      client_progress: 0,
      library_item_content_version: "1",
      warning_behavior: create_spec.warning_behavior,
    });
    expect(before.error_message).toBeUndefined();
    const words = [
      { type: "EXPIRED_CERTIFICATE", ignored: false },
      { type: "UNTRUSTED_CERTIFICATE", ignored: true },
    ];
    await update(id, { ...create_spec, library_item_id: await scene.item(), warning_behavior: words });
    const { expiration_time: _later, ...after } = await scene.vsphere.session(id);
    const { expiration_time: _sooner, ...same } = before;
    expect(after).toEqual({ ...same, warning_behavior: words });
    await update(id, {});
    expect((await scene.vsphere.session(id)).warning_behavior).toEqual(words);
    await update(id, { warning_behavior: [] });
    expect((await scene.vsphere.session(id)).warning_behavior).toEqual([]);
  });

  it("refuses a warning that is none, or that is there twice", async () => {
    const id = await scene.vsphere.createSession(await scene.item());
    const twice = [true, false].map((ignored) => ({ type: "EXPIRED_CERTIFICATE", ignored }));
    expect(await refused(update(id, { warning_behavior: twice }))).toEqual([
      400,
      "invalid_argument",
      "slipway.warning_twice",
      ["EXPIRED_CERTIFICATE"],
    ]);
    const unknown = update(id, { warning_behavior: [{ type: "BAD_WEATHER", ignored: true }] });
    expect((await refused(unknown)).slice(0, 2)).toEqual([400, "invalid_argument"]);
    expect((await scene.vsphere.session(id)).warning_behavior).toBeUndefined();
  });

  it("is for those who may upload: a reader is unauthorized, as for every other change", async () => {
    const { vsphere } = await logInAs(scene, Role.READER);
    const itemId = await scene.item();
    const answer = await refused(vsphere.createSession(itemId));
    expect(answer.slice(0, 2)).toEqual([403, "unauthorized"]);
    expect((await refused(vsphere.value("GET", updateSessions))).slice(0, 2)).toEqual([403, "unauthorized"]);
  });
});
