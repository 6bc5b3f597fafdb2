import { createConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { AccessService } from "../../gen/slipway/upload/v1/access_service_pb.js";
import { SessionService } from "../../gen/slipway/upload/v1/session_service_pb.js";
import { UploadError } from "../../src/core/index.js";
import { createTranslation } from "../../src/rpc/errors.js";
import { guardFirstMessages } from "../../src/rpc/first-message.js";
import { refuseMalformed } from "../../src/rpc/malformed.js";
import { httpVersions, openHttp } from "../support/http.js";
import { useServer } from "./scene.js";

const server = useServer();
const json = { "content-type": "application/json" };
const part = "/slipway.upload.v1.FileService/UploadPart";
const login = "/slipway.upload.v1.AccessService/Login";

it.each(httpVersions)(
  "a unary call of nobody is refused before its message has come, over HTTP/%s (P10)",
  async (version) => {
    const client = openHttp(server.get().url, version);
    const { answer, cut } = client.begin({ method: "POST", path: part, headers: json }, new Uint8Array(10), 4_000_000);
    expect(await answer).toMatchObject({ status: 401 });
    expect(JSON.parse((await answer).body.toString())).toMatchObject({ code: "unauthenticated" });
    cut();
    client.close();
  },
);

it.each(httpVersions)(
  "a login that is longer than any is refused, and the connection is good for the next, over HTTP/%s (P10)",
  async (version) => {
    const client = openHttp(server.get().url, version);
    const codeOf = async (sizeBytes: number) => {
      const body = Buffer.concat([Buffer.alloc(sizeBytes, " "), Buffer.from("{}")]);
      return JSON.parse((await client.ask({ method: "POST", path: login, headers: json, body })).body.toString()).code;
    };
    expect([await codeOf(3_000_000), await codeOf(10_000)]).toEqual(["resource_exhausted", "unauthenticated"]);
    client.close();
  },
);

it("a login whose words are as long as may be, and escaped, is taken", async () => {
  const client = openHttp(server.get().url, "1.1");
  const escaped = (length: number) => "\\u0020".repeat(length);
  const body = `{"login":"${escaped(511)}","password":"${escaped(1024)}","label":"${escaped(256)}"}`;
  expect((await client.ask({ method: "POST", path: login, headers: json, body: Buffer.from(body) })).status).toBe(401);
  client.close();
});

/** The handlers of two methods, guarded, and how to ask one of them. */
function guard(authenticate: () => Promise<never>) {
  const router = createConnectRouter();
  router.service(AccessService, {} as ServiceImpl<typeof AccessService>);
  router.service(SessionService, {} as ServiceImpl<typeof SessionService>);
  refuseMalformed(router);
  guardFirstMessages(router, {
    access: { authenticate },
    translate: createTranslation(() => undefined),
    waitMs: 50,
  });
  return async (path: string, type: string, body: AsyncIterable<Uint8Array>) => {
    const handler = router.handlers.find(({ requestPath }) => requestPath === path);
    const header = new Headers({ "content-type": type });
    const { signal } = new AbortController();
    const answer = await handler!({ httpVersion: "1.1", url: `http://x${path}`, method: "POST", header, body, signal });
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.body ?? []) chunks.push(chunk);
    return `${Buffer.concat(chunks)} ${answer.trailer?.get("grpc-status")}`;
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  await new Promise(() => undefined);
}

const protocols = [
  ["application/json", '"deadline_exceeded"', '"internal"'],
  ["application/grpc+proto", " 4", " 13"],
  ["application/grpc-web+proto", "grpc-status: 4", "grpc-status: 13"],
] as const;

it.each(protocols)("a message that does not come is not waited for, and that is said (%s)", async (type, late) => {
  expect(await guard(() => Promise.reject(new Error()))(login, type, nothing())).toContain(late);
});

it.each(protocols)(
  "a mistake of ours in letting somebody in is not put down to the message (%s)",
  async (type, _late, internal) => {
    const ask = guard(() => Promise.reject(new TypeError("oops")));
    expect(await ask("/slipway.upload.v1.SessionService/GetSession", type, nothing())).toContain(internal);
  },
);

it("says why somebody is not let in without reading anything", async () => {
  const ask = guard(() => Promise.reject(new UploadError("too_many", "wait", { reason: "LOGIN_THROTTLED" })));
  const answer = await ask("/slipway.upload.v1.SessionService/GetSession", "application/json", nothing());
  expect(answer).toContain('"resource_exhausted"');
  expect(answer).toContain("ErrorInfo");
});
