// What holds for every RPC of every service alike, read off the service descriptors.
import { request } from "node:http";
import { connect as connect2 } from "node:http2";
import { connect } from "node:net";
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type Message,
} from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Role } from "../../gen/slipway/upload/v1/access_pb.js";
import { AccessService } from "../../gen/slipway/upload/v1/access_service_pb.js";
import { BlobService } from "../../gen/slipway/upload/v1/blob_service_pb.js";
import { CatalogService } from "../../gen/slipway/upload/v1/catalog_service_pb.js";
import { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import { MaintenanceService } from "../../gen/slipway/upload/v1/maintenance_service_pb.js";
import { SessionService } from "../../gen/slipway/upload/v1/session_service_pb.js";
import { openClient, type Refusal, refusalOf, type TestClient, wires } from "../support/client.js";
import { adminPassword } from "../support/server.js";
import { startSession, useServer } from "./scene.js";

const server = useServer();
const services = [SessionService, FileService, CatalogService, BlobService, AccessService, MaintenanceService];
const methods = services.flatMap((service) => service.methods);
/** All but what lets people in. */
const closed = methods.filter((method) => method !== AccessService.method.login);
const sessionId = "11111111-1111-4111-8111-111111111111";

/** Calls the method with these fields, wherever its first message has them, and answers how it was refused. */
async function refuse(
  client: TestClient,
  method: DescMethod,
  fields: Record<string, string> = {},
): Promise<Pick<Refusal, "code" | "reason">> {
  const call = async () => {
    const message = requestOf(method.input, fields);
    if (method.methodKind === "unary") {
      return client.transport.unary(method as DescMethodUnary, undefined, undefined, {}, message);
    }
    async function* messages() {
      yield message;
    }
    const answer = await client.transport.stream(method as DescMethodStreaming, undefined, undefined, {}, messages());
    for await (const _ of answer.message);
    return answer;
  };
  const { code, reason } = await refusalOf(call());
  return { code, reason };
}

function requestOf(input: DescMessage, fields: Record<string, string>): Message {
  if (input.name === "UploadFileRequest") {
    return create(input, { message: { case: "start", value: fields } } as never);
  }
  const all = { ...fields, spec: { name: "a.bin" }, role: Role.READER };
  const known = Object.entries(all).filter(([name]) => input.fields.some(({ localName }) => localName === name));
  return create(input, Object.fromEntries(known) as never);
}

const idsOf = (method: DescMethod) => {
  const { input } = method;
  const owner = input.name === "UploadFileRequest" ? input.fields[0]!.message! : input;
  return owner.fields.map(({ localName }) => localName).filter((name) => /Id$/.test(name));
};

const malformed = ["", "a", sessionId.slice(1), `${sessionId}\n`, "../../../etc/passwd"];
const wrongTokens = {
  "no token": undefined,
  "another token": `slp_${"x".repeat(43)}`,
  "something else for a token": "x".repeat(43),
  "an empty token": "",
};

describe.each(wires)("over %s", (wire) => {
  for (const [what, token] of Object.entries(wrongTokens)) {
    for (const method of closed) {
      it(`${method.name} with ${what} is UNAUTHENTICATED / TOKEN_INVALID`, async () => {
        const { url } = server.get();
        const client = openClient({ url, ...(token === undefined ? {} : { token }) }, wire);
        const fields = Object.fromEntries(idsOf(method).map((name) => [name, sessionId]));
        const refusal = await refuse(client, method, fields).finally(() => client.close());
        expect(refusal).toEqual({ code: "UNAUTHENTICATED", reason: "TOKEN_INVALID" });
      });
    }
  }

  for (const method of methods) {
    for (const id of idsOf(method)) {
      it(`${method.name} with a malformed ${id} is INVALID_ARGUMENT / ID_MALFORMED`, async () => {
        const others = Object.fromEntries(idsOf(method).map((name) => [name, sessionId]));
        for (const value of malformed) {
          const refusal = await refuse(server.client(wire), method, { ...others, [id]: value });
          expect(refusal, JSON.stringify(value)).toEqual({ code: "INVALID_ARGUMENT", reason: "ID_MALFORMED" });
        }
      });
    }
    if (!idsOf(method).includes("sessionId")) continue;
    it(`${method.name} of a session that is not there is NOT_FOUND / SESSION_NOT_FOUND`, async () => {
      const fields = { sessionId, fileId: sessionId };
      const refusal = await refuse(server.client(wire), method, fields);
      expect(refusal).toEqual({ code: "NOT_FOUND", reason: "SESSION_NOT_FOUND" });
    });
  }
});

it("an id in upper case names the same session", async () => {
  const client = server.client("connect/1.1");
  const { id } = await startSession(client);
  const { session } = await client.sessions.getSession({ sessionId: id.toUpperCase() });
  expect(session?.id).toBe(id);
});

describe("a request that makes no sense", () => {
  const path = "/slipway.upload.v1.SessionService/GetSession";

  /** What the server says on a bare connection, up to its end or 2 s of silence. */
  function exchange(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(server.get().port, "127.0.0.1", () => socket.write(text));
      let answer = "";
      socket.setEncoding("latin1").setTimeout(2_000, () => socket.destroy());
      socket.on("data", (data: string) => {
        answer += data;
      });
      socket.on("error", reject).on("close", () => resolve(answer));
    });
  }
  async function assertAlive(): Promise<void> {
    expect((await fetch(`${server.get().url}/healthz`)).status).toBe(200);
  }

  it.each(["[", "a b", "%", "a:b:c", "[::1", "\u00e9", "", "a@b", "http://a"])(
    "with `Host: %s` is answered and ends nothing",
    async (host) => {
      const answer = await exchange(
        `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 2\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{}`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      await assertAlive();
    },
  );

  it.each(["[", "a b"])("with `Host: %s`, which makes no URL, is answered with 400", async (host) => {
    const answer = await exchange(
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("with HTTP/1.0 and no Host is answered with 400 and ends nothing", async () => {
    expect(await exchange(`POST ${path} HTTP/1.0\r\nContent-Length: 0\r\n\r\n`)).toMatch(/^HTTP\/1\.[01] 400 /);
    await assertAlive();
  });

  it("with HTTP/1.1 and no Host is answered with 400", async () => {
    expect(await exchange(`POST ${path} HTTP/1.1\r\nContent-Length: 0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    await assertAlive();
  });

  it("with an HTTP/2 authority that makes no URL is answered with 400 and ends nothing", async () => {
    const session = connect2(server.get().url);
    try {
      const status = await new Promise((resolve, reject) => {
        session.on("error", reject);
        const stream = session.request({ ":method": "POST", ":path": path, ":authority": "[" });
        stream.on("response", (headers) => resolve(headers[":status"])).on("error", reject);
        stream.end();
      });
      expect(status).toBe(400);
    } finally {
      session.destroy();
    }
    await assertAlive();
  });

  it("with bytes that are no HTTP is answered with 400 and ends nothing", async () => {
    expect(await exchange("\u0016\u0003\u0001\u0002\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    await assertAlive();
  });

  it("with JSON that is no message is INVALID_ARGUMENT", async () => {
    for (const body of ["{", '{"sessionId":7}', '{"sessionId":"\\u12"}', "[]", "null", ""]) {
      const { status, text } = await post("application/json", body);
      expect(`${status} ${text}`, body).toMatch(/^400 .*invalid_argument/);
    }
    await assertAlive();
  });

  it("with bytes that are no protobuf message is INVALID_ARGUMENT and ends nothing", async () => {
    for (const body of ["\u0007\u00ff", "\u000a\u00ff\u00ff\u00ff\u00ff\u000f", "\u000a\u0002\u00ff\u00fe"]) {
      expect((await post("application/proto", body)).status).toBe(400);
    }
    await assertAlive();
  });

  it("nested a hundred thousand levels deep is refused and ends nothing", async () => {
    const deep = `{"attributes":${'{"a":'.repeat(100_000)}1${"}".repeat(100_001)}`;
    const { status } = await post("application/json", deep, "CreateSession");
    expect(status).toBeGreaterThanOrEqual(400);
    await assertAlive();
  });

  it("of another path is 404, with no hint of what there is", async () => {
    const response = await fetch(`${server.get().url}/slipway.upload.v1.SessionService/Nothing`, { method: "POST" });
    expect(response.status).toBe(404);
  });

  function post(type: string, body: string, rpc = "GetSession"): Promise<{ status: number; text: string }> {
    const { port, token } = server.get();
    const options = {
      port,
      method: "POST",
      path: path.replace("GetSession", rpc),
      headers: { "content-type": type, authorization: `Bearer ${token}` },
    };
    return new Promise((resolve, reject) => {
      const call = request(options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (data: string) => {
          text += data;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      call.on("error", reject).end(Buffer.from(body, "latin1"));
    });
  }
});

describe("credentials", () => {
  const status = async (authorization: string) => {
    const response = await fetch(`${server.get().url}/slipway.upload.v1.SessionService/ListSessions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization },
      body: "{}",
    });
    return response.status;
  };
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

  it("are a token, whose scheme may be written in any case", async () => {
    const { token } = server.get();
    expect(await status(`Bearer ${token}`)).toBe(200);
    expect(await status(`bearer ${token}`)).toBe(200);
  });

  it.each(["admin", "default/admin"])("are the login %s and a password", async (login) => {
    expect(await status(basic(`${login}:${adminPassword}`))).toBe(200);
    expect(await status(basic(`${login}:${adminPassword}`).replace("Basic", "BASIC"))).toBe(200);
  });

  it("are nothing else", async () => {
    const { token } = server.get();
    const others = [
      token,
      `Bearer ${token} ${token}`,
      `Bearer ${token}, Bearer ${token}`,
      `Bearer ${token.toUpperCase()}`,
      `Token ${token}`,
      basic(`admin:${token}`),
      basic(adminPassword),
      basic(`Admin:${adminPassword}`),
      basic(`default/admin/x:${adminPassword}`),
      basic(`/admin:${adminPassword}`),
      basic(`admin@default:${adminPassword}`),
      basic(`admin\0:${adminPassword}`),
      basic(`:${adminPassword}`),
      "Basic",
      "Basic !",
      "Basic AAA=A",
      "Basic gICAOoCAgA==",
      "Bearer",
      "",
      " ",
      "x".repeat(8_000),
    ];
    for (const authorization of others) expect(await status(authorization), authorization).toBe(401);
  });

  it("that nobody needs are not looked at", async () => {
    const { url } = server.get();
    const client = openClient({ url, token: "nonsense" });
    const { user } = await client.access.login({ login: "admin", password: adminPassword }).finally(client.close);
    expect(user?.name).toBe("admin");
  });
});
