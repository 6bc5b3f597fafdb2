// Every method of every service, asked by everyone who is strange to what it names (P9).
import { setTimeout as sleep } from "node:timers/promises";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Health, HealthCheckResponse_ServingStatus } from "../../gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { Audience } from "../../gen/slipway/upload/v1/access_pb.js";
import { ChecksumAlgorithm } from "../../gen/slipway/upload/v1/checksum_pb.js";
import { openClient, refusalOf, type TestClient, wires } from "../support/client.js";
import { addSomebody, as, useServer } from "./scene.js";
import { ask } from "./strangers/ask.js";
import { type Names, shared } from "./strangers/row.js";
import { methods, rows } from "./strangers/rows.js";
import { nothing, type Scene, type Stranger, setScene, strangers } from "./strangers/victim.js";

const noSideEffects = MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
const server = useServer();
const operator = () => server.client("grpc/2");
let scene: Scene;
let before: unknown;
let useless: Readonly<Record<string, string | undefined>>;

beforeAll(async () => {
  scene = await setScene(server.get(), operator());
  useless = await makeUseless();
  before = await scene.look();
});
afterAll(() => scene?.close());

/** Tokens that are good for nothing here. They are the victim's own: it is not the user who is strange. */
async function makeUseless() {
  const { access } = operator();
  const { userId } = scene.victim;
  const make = (more = {}) => access.createToken({ userId, ...more });
  const revoked = await make();
  await access.whoAmI({}, as(revoked));
  await access.revokeToken({ tokenId: revoked.accessToken!.id });
  const idle = await make({ idleTtl: { seconds: 1n } });
  const absolute = await make({ absoluteTtl: { seconds: 1n } });
  const short = new Set([idle, absolute].map(({ accessToken }) => accessToken!.id));
  const isLeft = async () => (await access.listTokens({ userId })).accessTokens.some(({ id }) => short.has(id));
  while (await isLeft()) await sleep(100);
  return {
    "none at all": undefined,
    "an expired one": idle.token,
    "one past its absolute end": absolute.token,
    "a revoked one": revoked.token,
    "one for another interface": (await make({ audience: Audience.VSPHERE })).token,
  };
}

/** Puts for names the words for them, and for what differs each time a word for it. */
function anonymize(said: string, names: Names): string {
  let text = said;
  for (const [word, name] of Object.entries(names)) text = text.replaceAll(name, `<${word}>`);
  return text
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>");
}

/** The names of the victim's that are said and were not asked with. */
function findRevealed(said: string, request: unknown): (keyof Names)[] {
  const asked = JSON.stringify(request, (_, value) => (typeof value === "bigint" ? `${value}` : value));
  const names = Object.entries(scene.victim) as [keyof Names, string][];
  return names.filter(([, name]) => said.includes(name) && !asked.includes(name)).map(([word]) => word);
}

/** What administrators made of a name for themselves goes again: the next call finds them as this one did. */
async function tidy(token: string, { digest, libraryName }: Names): Promise<void> {
  const { catalog, blobs } = operator();
  const { libraries } = await catalog.listLibraries({ name: libraryName }, as({ token }));
  for (const { id } of libraries) await catalog.deleteLibrary({ libraryId: id }, as({ token }));
  await blobs.removeBlobs({ refs: [{ algorithm: ChecksumAlgorithm.SHA256, digest }] }, as({ token }));
}

it("every method of every service has its row, and every row its method", () => {
  expect(rows.map(({ method }) => method).sort()).toEqual([...methods].sort());
});

describe.each(wires.slice(0, 3))("over %s", (wire) => {
  let client: TestClient;
  beforeAll(() => {
    client = openClient({ url: server.get().url }, wire);
  });
  afterAll(() => client.close());

  for (const { method, row } of rows) {
    const { request, endsToken = false } = row;
    const tokenOf = async (who: Stranger) => {
      const { userId, token } = scene.strangers[who];
      return endsToken ? (await operator().access.createToken({ userId })).token : token;
    };
    const tell = async (who: Stranger, names: Names) => {
      const words = request(names);
      const { line, said } = await ask(client, method!, words, await tokenOf(who));
      if (line === "OK" && (who === "outsider" || who === "operator")) await tidy(scene.strangers[who].token, names);
      return { line, said: anonymize(said, names), revealed: findRevealed(said, words) };
    };

    for (const [who, whom] of Object.entries(strangers) as [Stranger, string][]) {
      const expected = row[who];
      if (expected === undefined) continue;
      const { line, known } = expected;
      it(`${method?.name} by ${whom} is ${line}${known ? "" : ", as for what is not there"} (P9)`, async () => {
        const told = await tell(who, scene.victim);
        expect(told.line, told.said).toBe(line);
        if (known) expect(told.revealed.filter((word) => !shared.has(word))).toEqual([]);
        else expect(told).toEqual({ ...(await tell(who, nothing())), revealed: [] });
        if (method?.idempotency !== noSideEffects) expect(await scene.look()).toEqual(before);
      });
    }

    it(`${method?.name} without a token that is good here is UNAUTHENTICATED / TOKEN_INVALID`, async () => {
      for (const [what, token] of Object.entries(useless)) {
        const { line } = await ask(client, method!, request(scene.victim), token);
        expect(line, what).toBe("UNAUTHENTICATED / TOKEN_INVALID");
      }
    });
  }

  it("after all of this the victim's things are as they were (P9)", async () => {
    expect(await scene.look()).toEqual(before);
  });

  it("Login tells nobody whether there is such a user (P9)", async () => {
    const { tenantId, tenantName } = scene.victim;
    const { name } = await addSomebody(operator(), { tenantId, password: "the right one" });
    const guess = (login: string) => refusalOf(client.access.login({ login, password: "the wrong one" }));
    const refusal = await guess(`${tenantName}/${name}`);
    expect(refusal).toMatchObject({ code: "UNAUTHENTICATED", reason: "LOGIN_FAILED" });
    for (const login of [`${tenantName}/nobody`, `nobody/${name}`, name]) expect(await guess(login)).toEqual(refusal);
    before = await scene.look();
  });

  it("health needs no token, and takes no notice of one that is good for nothing", async () => {
    const health = createClient(Health, client.transport);
    for (const token of Object.values(useless)) {
      const options = token === undefined ? {} : as({ token });
      const { status } = await health.check({}, options);
      expect(status).toBe(HealthCheckResponse_ServingStatus.SERVING);
      expect((await health.list({}, options)).statuses[""]?.status).toBe(status);
      for await (const first of health.watch({}, options)) {
        expect(first.status).toBe(status);
        break;
      }
    }
  });
});

describe.each([ServerReflection, ServerReflectionAlpha])("reflection ($typeName)", (service) => {
  it("needs no token, and takes no notice of one that is good for nothing", async () => {
    const client = openClient({ url: server.get().url }, "grpc/2");
    async function* questions() {
      yield { messageRequest: { case: "listServices" as const, value: "" } };
    }
    for (const token of Object.values(useless)) {
      const reflection = createClient(service, client.transport);
      const answers = reflection.serverReflectionInfo(questions(), token === undefined ? {} : as({ token }));
      for await (const { messageResponse } of answers) expect(messageResponse.case).toBe("listServicesResponse");
    }
    client.close();
  });
});
