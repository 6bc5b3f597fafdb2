import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { createAddressPolicy } from "../../src/sources/address-policy.js";
import { createHttpSource } from "../../src/sources/http.js";
import { createSource, failureOf, open, patient, readAll, serve } from "./web.js";

const publicOnly = createHttpSource({ policy: createAddressPolicy({ hosts: [], networks: [] }), timeouts: patient });

describe("an address that is not public", () => {
  it.each([
    "http://127.0.0.1:PORT/",
    "http://localhost:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://2130706433:PORT/",
    "http://017700000001:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.0.0.1:PORT/",
    "http://0x7F.1:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://１２７.0.0.1:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://0.0.0.0:PORT/",
    "http://0:PORT/",
    "http://[::1]:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[64:ff9b::7f00:1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "https://10.0.0.1/",
  ])("is refused without a word to it, however it is written: %s", async (uri) => {
    const server = await serve((_, response) => response.end("secret"), { host: "0.0.0.0" });
    const error = await failureOf(open(publicOnly, uri.replace("PORT", String(server.port))));
    expect([error.failure, error.isFinal]).toEqual(["address_forbidden", true]);
    expect(error.message).toMatch(/is not a public address, and the server's setting SLIPWAY_PULL_ALLOW/);
    expect(server.requests).toEqual([]);
  });

  it("is reached where it is allowed by its network, or its name by name", async () => {
    const server = await serve((_, response) => response.end("open"));
    expect(String(await readAll(await open(createSource("127.0.0.0/8"), server.url)))).toBe("open");
    const byName = createSource("files.example", { lookUp: async () => ["127.0.0.1"] });
    expect(String(await readAll(await open(byName, `http://files.example:${server.port}/`)))).toBe("open");
    expect(server.requests[1]?.headers.host).toBe(`files.example:${server.port}`);
  });
});

describe("an IPv6 address", () => {
  const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

  it.runIf(hasIpv6)("is reached where it is allowed, by its number and by a name", async () => {
    const server = await serve((_, response) => response.end("open"), { host: "::1" });
    const source = createSource("::1", { lookUp: async () => ["::1"] });
    for (const uri of [server.url, `http://files.example:${server.port}/`]) {
      expect(String(await readAll(await open(source, uri)))).toBe("open");
    }
  });
});

describe("a name", () => {
  it("that resolves to a private address is refused, and the answer does not tell the address", async () => {
    const source = createSource("127.0.0.1", { lookUp: async () => ["10.11.12.13"] });
    const error = await failureOf(open(source, "https://intranet.example/a"));
    expect(error.failure).toBe("address_forbidden");
    expect(error.message).not.toContain("10.11.12.13");
  });

  it("that resolves to allowed and other addresses is reached at the allowed ones only", async () => {
    const allowed = await serve((_, response) => response.end("allowed"));
    const other = await serve((_, response) => response.end("other"), { host: "127.0.0.2", port: allowed.port });
    const source = createSource("127.0.0.1", { lookUp: async () => ["127.0.0.2", "::1", "127.0.0.1"] });
    const content = await open(source, `http://mixed.example:${allowed.port}/`);
    expect(String(await readAll(content))).toBe("allowed");
    expect(other.requests).toEqual([]);
  });

  it("that resolves to something else the second time is connected to at what was checked", async () => {
    const allowed = await serve((_, response) => response.end("allowed"));
    const inside = await serve((_, response) => response.end("inside"), { host: "127.0.0.2", port: allowed.port });
    const answers = [["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"]];
    let asked = 0;
    const source = createSource("127.0.0.1", { lookUp: async () => answers[asked++] ?? [] });
    const uri = `http://rebound.example:${allowed.port}/`;
    expect(String(await readAll(await open(source, uri)))).toBe("allowed");
    expect(asked).toBe(1);
    expect((await failureOf(open(source, uri))).failure).toBe("address_forbidden");
    expect(inside.requests).toEqual([]);
  });

  it("that moves to a private address between two attempts is refused at the second", async () => {
    const server = await serve((_, response) => response.setHeader("etag", '"v"').end("0123456789"));
    const inside = await serve((_, response) => response.end("inside"), { host: "127.0.0.2", port: server.port });
    const answers = [["127.0.0.1"], ["127.0.0.2"]];
    const source = createSource("127.0.0.1", { lookUp: async () => answers.shift() ?? [] });
    const uri = `http://moved.example:${server.port}/`;
    const first = await open(source, uri);
    first.close();
    const error = await failureOf(open(source, uri, { from: { offset: 4, validator: first.validator! } }));
    expect(error.failure).toBe("address_forbidden");
    expect(inside.requests).toEqual([]);
  });

  it("that has no address, or cannot be looked up, is worth a retry", async () => {
    const error = await failureOf(open(createSource(), "http://nowhere.invalid/a?key=secret"));
    expect([error.failure, error.isFinal]).toEqual(["unreachable", false]);
    expect(error.message).toBe("the name nowhere.invalid could not be looked up; check it, or try again later");
  });
});
