import { createConnectRouter } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { Health } from "../../gen/grpc/health/v1/health_pb.js";
import { ignoreFarDeadlines } from "../../src/rpc/deadlines.js";

/** How many milliseconds a call with this header has, as its method sees it. */
async function leftMs(header: Record<string, string>, type: string, body: Uint8Array): Promise<number | undefined> {
  let left: number | undefined;
  const router = createConnectRouter().service(Health, {
    check(_request, context) {
      left = context.timeoutMs();
      return {};
    },
  });
  ignoreFarDeadlines(router);
  const handler = router.handlers.find(({ method }) => method.name === "Check");
  async function* bytes() {
    yield body;
  }
  const answer = await handler!({
    httpVersion: "2",
    url: "http://x/grpc.health.v1.Health/Check",
    method: "POST",
    header: new Headers({ "content-type": type, ...header }),
    body: bytes(),
    signal: new AbortController().signal,
  });
  for await (const _ of answer.body ?? []);
  return left;
}

const connect: readonly [type: string, body: Uint8Array] = ["application/json", Buffer.from("{}")];
const grpc: readonly [type: string, body: Uint8Array] = ["application/grpc+proto", new Uint8Array(5)];

it.each<[string, string, readonly [type: string, body: Uint8Array]]>([
  ["connect-timeout-ms", "2147483648", connect],
  ["connect-timeout-ms", "9999999999", connect],
  ["grpc-timeout", "2592000S", grpc],
  ["grpc-timeout", "99999999H", grpc],
])("a deadline that no timer can wait for is none, not one that has passed (%s: %s)", async (name, value, call) => {
  expect(await leftMs({ [name]: value }, ...call)).toBeUndefined();
});

it.each<[string, string, readonly [type: string, body: Uint8Array]]>([
  ["connect-timeout-ms", "2147483647", connect],
  ["grpc-timeout", "596H", grpc],
  ["grpc-timeout", "99999999m", grpc],
])("one that can be waited for counts (%s: %s)", async (name, value, call) => {
  expect(await leftMs({ [name]: value }, ...call)).toBeGreaterThan(90_000_000);
});
