// The exchanges of "Entity content upload session" (IMiS/Storage Connector Services REST, 9.8.2110) as the page prints them.
import { beforeAll, describe, expect, it } from "vitest";
import { type HttpAnswer, openHttp } from "../../support/http.js";
import { pseudoRandom } from "../../support/bodies.js";
import { useUploads } from "./upload-scene.js";

const scene = useUploads();
const wave = pseudoRandom(1000);

/** An answer's body, and the order of its members: those of the page first, then what this server adds. */
interface Shown {
  readonly body: unknown;
  readonly members?: readonly string[];
}

interface Exchange {
  readonly name: string;
  /** Braces name what earlier answers gave. */
  readonly send: {
    readonly line: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string | Uint8Array;
  };
  readonly expect: Shown | "nothing";
}

const bearer = { Authorization: "Bearer {token}" };
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const inSession = "archives/{archiveId}/entities/H:{entityHandle}/create_sessions/{sessionId}";
const sessionOf = (offset: number): Shown => ({
  body: { session: { id: "{sessionId}", offset, expires: time } },
  members: ["id", "offset", "expires"],
});

const create: Exchange = {
  name: "1. Create upload session",
  send: {
    line: "POST archives/{archiveId}/entities/H:{entityHandle}/create_sessions.json",
    headers: bearer,
    body: '{\n"content_type": "audio/wav"\n}',
  },
  expect: { body: { session: { id: uuid, offset: 0, expires: time } }, members: ["id", "offset", "expires"] },
};

const upload = (from: number, to: number): Exchange => ({
  name: `2. Content upload in the upload session: ${from}-${to - 1}`,
  send: {
    line: `PUT ${inSession}`,
    headers: { ...bearer, "content-range": `${from}-${to - 1}`, "content-length": String(to - from) },
    body: wave.subarray(from, to),
  },
  expect: sessionOf(to),
});

const save: Exchange = {
  name: "3. Saving content in the upload session",
  send: {
    line: `POST ${inSession}/save.json`,
    headers: bearer,
    body: '{\n  "description": "",\n  "container_id": ""\n}',
  },
  expect: {
    body: {
      object: {
        container_id: uuid,
        id: uuid,
        description: "",
        size: wave.length,
        created: time,
        accessed: time,
        modified: time,
        content_type: "audio/wav",
        extension: ".wav",
        effective_rights: { create_access: true, delete_access: true, read_access: true, write_access: true },
        child_count: 0,
        signed: false,
        indexed: false,
        parent_id: "",
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    },
    members: [
      "container_id",
      "id",
      "description",
      "size",
      "created",
      "accessed",
      "modified",
      "content_type",
      "extension",
      "effective_rights",
      "child_count",
      "signed",
      "indexed",
      "parent_id",
      "sha256",
    ],
  },
};

const cancel: Exchange = {
  name: "4. Canceling the upload session",
  send: { line: `DELETE ${inSession}.json`, headers: bearer },
  expect: "nothing",
};

/** What the page tells beside its exchanges: what has become of the session afterwards. */
const conversations: readonly {
  readonly name: string;
  readonly exchanges: readonly Exchange[];
  readonly objects: number;
}[] = [
  { name: "that is saved", exchanges: [create, upload(0, 400), upload(400, 1000), save], objects: 1 },
  { name: "that is cancelled", exchanges: [create, upload(0, 400), cancel], objects: 0 },
  { name: "that is cancelled before anything was sent", exchanges: [create, cancel], objects: 0 },
];

for (const prefix of ["/", "/scsvc/"]) {
  describe.each(conversations)(`the documented session under ${prefix} $name`, ({ exchanges, objects: count }) => {
    const names: Record<string, string> = { archiveId: "IARC" };
    let entityId: string;
    beforeAll(async () => {
      const client = await scene.client();
      const entity = await scene.makeEntity();
      entityId = entity.id;
      Object.assign(names, { token: client.token, entityHandle: await client.openEntity(entityId) });
    });
    const fill = (text: string) => text.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name]!);

    it.each(exchanges)("$name", async ({ send, expect: expected }) => {
      const [method = "", path = ""] = fill(send.line).split(" ");
      const headers = Object.fromEntries(Object.entries(send.headers).map(([name, value]) => [name, fill(value)]));
      const body = typeof send.body === "string" ? Buffer.from(send.body) : send.body;
      const answer = await ask({ method, path: prefix + path, headers, ...(body && { body }) });
      expect(answer.status).toBe(200);
      if (expected === "nothing") {
        expect(answer.body.toString()).toBe("");
        return;
      }
      expect(answer.headers["content-type"]).toBe("application/json");
      const told = JSON.parse(answer.body.toString()) as Record<string, Record<string, unknown>>;
      names.sessionId ??= String(told.session?.id);
      expect(told).toEqual(fillIn(expected.body, fill));
      const [thing = {}] = Object.values(told);
      expect(Object.keys(thing)).toEqual(expected.members);
      if (thing.effective_rights !== undefined) {
        const rights = ["create_access", "delete_access", "read_access", "write_access"];
        expect(Object.keys(thing.effective_rights as object)).toEqual(rights);
      }
    });

    it("and the entity has what came of it, and the session is removed", async () => {
      const objects = await scene.objectsOf({ id: entityId } as Parameters<typeof scene.objectsOf>[0]);
      expect(objects).toHaveLength(count);
      for (const id of objects) {
        const content = await scene.contentOf({ id: entityId } as Parameters<typeof scene.contentOf>[0], id);
        expect(Buffer.from(content).equals(wave)).toBe(true);
      }
      const path = fill(`${prefix}archives/{archiveId}/entities/H:{entityHandle}/create_sessions.json`);
      const listed = await ask({ method: "GET", path, headers: { authorization: fill("Bearer {token}") } });
      expect(JSON.parse(listed.body.toString())).toEqual({ sessions: [] });
    });
  });
}

async function ask(request: Parameters<ReturnType<typeof openHttp>["ask"]>[0]): Promise<HttpAnswer> {
  const http = openHttp(scene.url, "1.1");
  try {
    return await http.ask(request);
  } finally {
    http.close();
  }
}

/** Texts that hold names in braces are filled in; matchers stay what they are. */
function fillIn(value: unknown, fill: (text: string) => string): unknown {
  if (typeof value === "string") return fill(value);
  if (typeof value !== "object" || value === null || "asymmetricMatch" in value) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fillIn(member, fill)]));
}
