import { describe, expect, it } from "vitest";
import { ChecksumAlgorithm } from "../../gen/slipway/upload/v1/checksum_pb.js";
import { FailureReason } from "../../gen/slipway/upload/v1/failure_pb.js";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { serve, serveRaw } from "../sources/web.js";
import { pseudoRandom } from "../support/bodies.js";
import { usePulls } from "./scene.js";

const pulls = usePulls(() => ({ SLIPWAY_MAX_FILE_BYTES: "1MiB", SLIPWAY_MAX_PULL_TRIES: "2" }));
const content = pseudoRandom(100_000);

/** Serves this for ever. */
const serveEndless = () =>
  serve((_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write(content));
      response.once("drain", more);
    };
    response.writeHead(200);
    more();
  });

describe("a source that cannot be had fails its file with what, where, and what to do", () => {
  it.each([
    [404, "NOT_FOUND", "does not exist (404); check the address"],
    [401, "REFUSED", "asks for a login (401); give an address that can be read without one, such as a signed one"],
    [204, "RESPONSE_INVALID", "answered 204, which brings no content; check that it can be read with a plain GET"],
  ])("one that answers %i is %s", async (status, source, sentence) => {
    const web = await serve((_request, response) => response.writeHead(status).end());
    const failure = await pulls.failureOf(`${web.url}/a.bin?signature=secret`);
    expect(failure).toEqual({ source, message: `${web.url}/a.bin?... ${sentence}` });
    expect(web.requests).toHaveLength(1);
  });

  it("one that stays busy is given up after so many tries", async () => {
    const web = await serve((_request, response) => response.writeHead(503).end());
    const failure = await pulls.failureOf(web.url);
    expect(failure).toEqual({
      source: "NOT_READY",
      message: `${web.url}/ failed on its own side (503); try again later`,
    });
    expect(web.requests).toHaveLength(2);
  });

  it("one that takes no connection is given up too", async () => {
    const web = await serve((request) => request.socket.destroy());
    expect(await pulls.failureOf(web.url)).toMatchObject({ source: "UNREACHABLE" });
  });

  it("one that does not speak HTTP is no source", async () => {
    const url = await serveRaw((socket) => socket.end("220 mail.example ESMTP\r\n"));
    expect(await pulls.failureOf(url)).toMatchObject({ source: "RESPONSE_INVALID" });
  });
});

describe("a source of another size fails its file", () => {
  it("that is endless, where no file may be so large, and lets go of it", async () => {
    const web = await serveEndless();
    const failure = await pulls.failureOf(web.url);
    expect(failure.source).toBe("TOO_LARGE");
    expect(failure.message).toContain("over the limit of 1048576");
    expect(web.requests[0]?.socket.destroyed || (await closedSoon(web.requests[0]!.socket))).toBe(true);
  });

  it("that is endless, and so longer than declared", async () => {
    const web = await serveEndless();
    const failure = await pulls.failureOf({ source: { uri: web.url }, sizeBytes: 200_000n });
    expect(failure.source).toBe("SIZE_DIFFERS");
    expect(failure.message).toContain("was declared with 200000 bytes, more came");
  });

  it.each([
    ["shorter", 100_001n],
    ["longer", 99_999n],
  ])("that is %s than declared, as it says itself", async (_title, sizeBytes) => {
    const web = await serve((_request, response) => response.end(content));
    const failure = await pulls.failureOf({ source: { uri: `${web.url}/a` }, sizeBytes });
    expect(failure).toEqual({
      source: "SIZE_DIFFERS",
      message: `${web.url}/a has 100000 bytes, and ${sizeBytes} were declared; declare the file with the size that it has`,
    });
  });

  it("that turns out to be shorter than declared", async () => {
    const web = await serve((_request, response) => {
      response.write(content);
      response.end();
    });
    const failure = await pulls.failureOf({ source: { uri: web.url }, sizeBytes: 100_001n });
    expect(failure.source).toBe("SIZE_DIFFERS");
    expect(failure.message).toContain("has fewer bytes than it should");
  });

  it("that says it is larger than a file may be, before a byte of it is taken", async () => {
    const web = await serve((_request, response) =>
      response.writeHead(200, { "content-length": 2 ** 21 }).flushHeaders(),
    );
    const failure = await pulls.failureOf(web.url);
    expect(failure).toMatchObject({ source: "TOO_LARGE" });
    expect(failure.message).toContain("has 2097152 bytes, and a file has at most 1048576");
  });

  it("whose end cannot be told from a cut, unless a size or a checksum was declared", async () => {
    const raw = await serveRaw((socket) => {
      socket.write("HTTP/1.0 200 OK\r\n\r\n");
      socket.end(content);
    });
    expect(await pulls.failureOf(raw)).toMatchObject({ source: "RESPONSE_INVALID" });
    const place = await pulls.declare({ source: { uri: raw }, sizeBytes: 100_000n });
    expect((await pulls.settled(place)).state).toBe(FileState.READY);
  });
});

it("a source of other bytes than declared fails its file with both checksums", async () => {
  const web = await serve((_request, response) => response.end(content));
  const zeros = "00".repeat(32);
  const checksums = [{ algorithm: ChecksumAlgorithm.SHA256, checksum: zeros }];
  const file = await pulls.settled(await pulls.declare({ source: { uri: web.url }, checksums }));
  expect(file).toMatchObject({
    state: FileState.FAILED,
    committedOffset: 0n,
    failure: { reason: FailureReason.CHECKSUM_DIFFERS },
  });
  expect(file.failure?.message?.defaultMessage).toContain(zeros);
  expect(file.content).toBeUndefined();
});

describe("a redirect", () => {
  it("is followed to the content", async () => {
    const web = await serve((request, response) => {
      if (request.url === "/a") response.writeHead(302, { location: "/b" }).end();
      else response.end(content);
    });
    const place = await pulls.declare(`${web.url}/a`);
    expect(await pulls.settled(place)).toMatchObject({ state: FileState.READY, committedOffset: 100_000n });
  });

  it("in a loop fails its file", async () => {
    const web = await serve((request, response) => {
      response.writeHead(302, { location: request.url === "/a" ? "/b" : "/a" }).end();
    });
    expect(await pulls.failureOf(`${web.url}/a`)).toEqual({
      source: "REDIRECT_LOOP",
      message: `${web.url}/b redirects in a loop; give the address of the content itself`,
    });
    expect(web.requests).toHaveLength(2);
  });

  it("without an end fails its file", async () => {
    const web = await serve((request, response) => {
      response.writeHead(302, { location: `/${Number(request.url?.slice(1)) + 1}` }).end();
    });
    expect(await pulls.failureOf(`${web.url}/1`)).toMatchObject({ source: "TOO_MANY_REDIRECTS" });
    expect(web.requests).toHaveLength(11);
  });

  it.each(["http://[::1]:80/", "http://10.0.0.1/", "http://2852039166/latest/meta-data", "http://[fe80::1]/"])(
    "to %s, which is not public, fails its file",
    async (location) => {
      const web = await serve((_request, response) => response.writeHead(307, { location }).end());
      const failure = await pulls.failureOf(web.url);
      expect(failure.source).toBe("ADDRESS_FORBIDDEN");
      expect(failure.message).toContain("is not a public address");
    },
  );

  it.each(["file:///etc/passwd", "ftp://127.0.0.1/a", "http://me:secret@127.0.0.1/a", ""])(
    "to %j fails its file",
    async (location) => {
      const web = await serve((_request, response) => response.writeHead(302, { location }).end());
      const failure = await pulls.failureOf(web.url);
      expect(failure.source).toBe("REDIRECT_INVALID");
      expect(failure.message).not.toContain("secret");
    },
  );
});

function closedSoon(socket: { once(event: "close", listener: () => void): unknown }): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve(true));
    setTimeout(() => resolve(false), 20_000);
  });
}
