import { describe, expect, it } from "vitest";
import { makeCertificate } from "../support/certificate.js";
import { createSource, failureOf, open, readAll, serve } from "./web.js";
import { thumbprintOf } from "./thumbprint-of.js";

const source = createSource();
const redirectTo = (location: string, status = 302) =>
  serve((request, response) => {
    if (request.url === "/file") response.end("content");
    else response.writeHead(status, location === "" ? {} : { location }).end("moved");
  });

describe("a redirect", () => {
  it.each([301, 302, 303, 307, 308])("is followed: %i", async (status) => {
    const server = await redirectTo("/file", status);
    expect(String(await readAll(await open(source, `${server.url}/start`)))).toBe("content");
  });

  it("is followed to another server, in every form of an address, with nothing that tells where from", async () => {
    const end = await serve((_, response) => response.end("there"));
    for (const location of [`${end.url}/å?q=1`, `//127.0.0.1:${end.port}/b`, `HTTP://127.1:${end.port}/c#part`]) {
      const server = await redirectTo(Buffer.from(location).toString("latin1"));
      expect(String(await readAll(await open(source, server.url)))).toBe("there");
    }
    expect(end.requests.map(({ url }) => url)).toEqual(["/%C3%A5?q=1", "/b", "/c"]);
    const { host: _, ...headers } = end.requests[0]?.headers ?? {};
    const sent = { accept: "*/*", "accept-encoding": "identity", "user-agent": "slipway", connection: "close" };
    expect(headers).toEqual(sent);
  });

  it("is followed ten times and no more", async () => {
    const server = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end("content");
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    expect(String(await readAll(await open(source, `${server.url}/10`)))).toBe("content");
    const error = await failureOf(open(source, `${server.url}/11`));
    expect([error.failure, error.isFinal]).toEqual(["too_many_redirects", true]);
    expect(error.message).toBe(`${server.url}/11 redirects more than 10 times; give the address of the content itself`);
  });

  it.each([
    ["to itself", (url: string) => url, 1],
    ["to another that leads back", (url: string) => (url === "/a" ? "/b" : "/a"), 2],
  ])("in a loop is told as one: %s", async (_, next, requests) => {
    const server = await serve((request, response) => {
      response.writeHead(302, { location: next(request.url ?? "") }).end();
    });
    const error = await failureOf(open(source, `${server.url}/a`));
    expect([error.failure, error.isFinal]).toEqual(["redirect_loop", true]);
    expect(server.requests).toHaveLength(requests);
  });

  it.each(["127.0.0.2", "[::1]", "2130706434", "169.254.169.254", "localhost.", "[::ffff:127.0.0.2]"])(
    "to an address that is not allowed is refused without a word to it: %s",
    async (host) => {
      const server = await serve((_, response) => {
        response.writeHead(302, { location: `http://${host}:${inside.port}/secret` }).end();
      });
      const inside = await serve((_, response) => response.end("secret"), { host: "127.0.0.2", port: server.port });
      const strict = createSource("127.0.0.1", { lookUp: async () => ["::1"] });
      expect((await failureOf(open(strict, server.url))).failure).toBe("address_forbidden");
      expect(inside.requests).toEqual([]);
    },
  );

  it.each([
    ["file:///etc/passwd", /leads to file, and only http and https may be redirected to$/],
    ["ds:///vmfs/volumes/a", /leads to ds, and only http and https may be redirected to$/],
    ["ftp://files.example/a", /sources are http, https, file and ds, not "ftp"$/],
    ["data:,secret", /not "data"$/],
    ["http://user:secret@files.example/", /must not hold a user name or a password/],
    ["http://[::1", /leads nowhere/],
    ["", /leads nowhere/],
  ])("to what cannot be a source is refused: %s", async (location, sentence) => {
    const server = await redirectTo(location);
    const error = await failureOf(open(source, server.url));
    expect([error.failure, error.isFinal]).toEqual(["redirect_invalid", true]);
    expect(error.message).toMatch(sentence);
    expect(error.message).toContain(`the redirect of ${server.url}/ `);
    expect(error.message).not.toContain("secret");
  });

  it("from http to https is where a thumbprint is compared, and http that leads nowhere else gives no content", async () => {
    const pinned = makeCertificate();
    const secure = await serve((_, response) => response.end("secure"), { tls: pinned });
    const plain = await serve((request, response) => {
      if (request.url === "/content") response.end("plain");
      else response.writeHead(302, { location: request.url === "/secure" ? `${secure.url}/` : "/content" }).end();
    });
    const thumbprint = thumbprintOf(pinned);
    expect(String(await readAll(await open(source, `${plain.url}/secure`, { thumbprint })))).toBe("secure");
    for (const path of ["/content", "/redirected"]) {
      const error = await failureOf(open(source, plain.url + path, { thumbprint }));
      expect([error.failure, error.isFinal]).toEqual(["thumbprint_unusable", true]);
      expect(error.message).toContain(`${plain.url}/content is http and leads to no https server`);
    }
    const other = thumbprintOf(makeCertificate());
    const error = await failureOf(open(source, `${plain.url}/secure`, { thumbprint: other }));
    expect(error.failure).toBe("thumbprint_differs");
  });

  it("from https to http is refused where a thumbprint is given, and every server must show that certificate", async () => {
    const [pinned, other] = [makeCertificate(), makeCertificate()];
    const plain = await serve((_, response) => response.end("plain"));
    const impostor = await serve((_, response) => response.end("impostor"), { tls: other });
    let location = `${plain.url}/`;
    const first = await serve((_, response) => response.writeHead(302, { location }).end(), { tls: pinned });
    const thumbprint = thumbprintOf(pinned);
    const toPlain = await failureOf(open(source, first.url, { thumbprint }));
    expect(toPlain.failure).toBe("redirect_invalid");
    expect(toPlain.message).toMatch(/leads from https to http, where the thumbprint could not be checked$/);
    location = `${impostor.url}/`;
    expect((await failureOf(open(source, first.url, { thumbprint }))).failure).toBe("thumbprint_differs");
    expect([...plain.requests, ...impostor.requests]).toEqual([]);
  });
});
