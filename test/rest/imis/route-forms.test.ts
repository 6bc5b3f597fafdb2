// Decision 27: how an operation's path may be written.
import { afterEach, describe, expect, it } from "vitest";
import { createImisDialect } from "../../../src/rest/imis/dialect.js";
import type { ImisClient } from "../../support/imis.js";
import { archive, loginNameOf, password, useFace } from "./face-scene.js";

const scene = useFace();
afterEach(() => expect(scene.unexpected).toEqual([]));

interface Form {
  readonly prefix: string;
  readonly suffix: string;
  readonly colon: string;
}

const forms: readonly Form[] = ["", "/scsvc"].flatMap((prefix) =>
  ["", ".json", "/", ".json/"].flatMap((suffix) => [":", "%3A", "%3a"].map((colon) => ({ prefix, suffix, colon }))),
);

describe("decision 27: every operation accepts its path", () => {
  it.each(forms)("as $prefix/archives/…H$colon…$suffix", async ({ prefix, suffix, colon }) => {
    const base = `${prefix}/archives/${archive}`;
    const client = scene.nobody();
    const authentication = { username: loginNameOf(scene.members.uploader), password };
    const opening = { body: { authentication } };
    const { token } = await client.value<{ token: string }>("POST", `${base}/session/open${suffix}`, opening);
    const headers = { authorization: `Bearer ${token}` };
    const { id } = await scene.makeEntity({ aliases: [{ kind: "external_id", value: `${prefix}${suffix}${colon}` }] });
    const external = encodeURIComponent(`${prefix}${suffix}${colon}`);
    for (const entity of [id, `I${colon}${id}`, `E${colon}${external}`]) {
      const opened = await client.value<{ handle: string }>("POST", `${base}/entities/${entity}/open${suffix}`, {
        headers,
      });
      const close = `${base}/entities/H${colon}${opened.handle}/close${suffix}`;
      expect(await client.ask("GET", close, { headers })).toMatchObject({ status: 200, text: "" });
    }
    expect(await client.ask("POST", `${base}/session/close${suffix}`, { headers })).toMatchObject({ status: 200 });
    expect(await client.ask("POST", `${base}/session/close${suffix}`, { headers })).toMatchObject({ status: 401 });
  });

  it("in all four forms, which the table has a row for each", () => {
    const lines = createImisDialect(scene.admit).rows.map(({ line }) => line);
    const plain = lines.filter((line) => !line.endsWith(".json") && !line.includes(" /scsvc/"));
    const expected = plain
      .flatMap((line) => [line, line.replace(" ", " /scsvc")])
      .flatMap((line) => [line, `${line}.json`]);
    expect([...lines].sort()).toEqual([...expected].sort());
    expect(plain.length).toBeGreaterThan(5);
  });
});

describe("a path that nothing is served at", () => {
  const ask = async (method: string, path: string, client: ImisClient = scene.nobody()) => {
    const { status, headers, text } = await client.ask(method, path);
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    return { status, code: error.code, message: error.message, allow: headers.allow };
  };

  it.each([
    "/archives",
    `/archives/${archive}`,
    `/archives/${archive}/session`,
    "/scsvc",
    "/scsvc/archives//session/open",
  ])("%s is 404 operation_not_found, whoever asks", async (path) => {
    expect(await ask("GET", path)).toMatchObject({ status: 404, code: "operation_not_found", allow: undefined });
  });

  it("with the wrong method is 405 method_not_allowed, which names the right ones", async () => {
    expect(await ask("DELETE", "session/open.json")).toEqual({
      status: 405,
      code: "method_not_allowed",
      message: `there is no operation DELETE /archives/${archive}/session/open.json; POST, OPTIONS are served there`,
      allow: "POST, OPTIONS",
    });
    expect(await ask("PUT", "entities/I:1/open")).toMatchObject({ status: 405, allow: "POST, GET, HEAD, OPTIONS" });
  });

  it("is 405 for HEAD where GET changes something", async () => {
    for (const path of ["session/close", "entities/I:1/open.json", "entities/H:1/close", "objects/1/handle/open"]) {
      const answer = await scene.nobody().ask("HEAD", path);
      expect([path, answer.status, answer.headers.allow]).toEqual([path, 405, "GET"]);
    }
  });

  it("whose percent-escapes mean nothing is 400 request_invalid", async () => {
    expect(await ask("POST", "entities/I:%zz/open")).toMatchObject({ status: 400, code: "request_invalid" });
    expect(await ask("POST", "entities/I:1/open?mode=%zz")).toMatchObject({ status: 400, code: "request_invalid" });
  });
});
