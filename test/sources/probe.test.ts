import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseSource, type SourceFinding } from "../../src/core/index.js";
import { createAddressPolicy, parsePullAllow } from "../../src/sources/address-policy.js";
import { createFileSource } from "../../src/sources/file.js";
import { createSourceProber } from "../../src/sources/probe.js";
import { makeCertificate } from "../support/certificate.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { thumbprintOf } from "./thumbprint-of.js";
import { patient, serve, serveRaw } from "./web.js";

let folder: string;
beforeEach(async () => {
  folder = await makeTempDir();
  await mkdir(join(folder, "root"));
});
afterEach(() => removeTempDir(folder));

const policy = createAddressPolicy(parsePullAllow("127.0.0.1")!);
const certificate = makeCertificate();
const derOf = ({ cert }: { cert: string }) => new Uint8Array(new X509Certificate(cert).raw);

function probe(
  uri: string,
  options: { readonly thumbprint?: string; readonly longestMs?: number; readonly signal?: AbortSignal } = {},
): Promise<SourceFinding> {
  const { thumbprint, longestMs = 120_000, signal = new AbortController().signal } = options;
  const file = createFileSource({ roots: [join(folder, "root")], closed: [] });
  const prober = createSourceProber({ http: { policy, timeouts: patient }, file, longestMs });
  return prober.probe(parseSource(uri, thumbprint), signal);
}

async function outcome(finding: Promise<SourceFinding>) {
  const { problem, certificate: der } = await finding;
  return { failure: problem?.failure, certificate: der && new Uint8Array(der) };
}

describe("probing http", () => {
  it("finds nothing wrong with what a plain GET can read, and leaves the content where it is", async () => {
    let answered: ServerResponse | undefined;
    const server = await serve((_, response) => {
      answered = response;
      response.writeHead(200, { "content-length": 2 ** 40 }).write("a first byte of very many");
    });
    const finding = await outcome(probe(`${server.url}/big?signed=yes`));
    expect(finding).toEqual({ failure: undefined, certificate: undefined });
    if (!answered!.destroyed) await once(answered!, "close");
    expect(server.requests.map(({ method, url }) => [method, url])).toEqual([["GET", "/big?signed=yes"]]);
  });

  it.each([
    [404, "not_found"],
    [403, "refused"],
    [503, "not_ready"],
    [204, "response_invalid"],
  ])("tells what a fetch would end with: %i", async (status, failure) => {
    const server = await serve((_, response) => response.writeHead(status).end());
    expect((await outcome(probe(server.url))).failure).toBe(failure);
  });

  it("reaches no address that a fetch may not reach, directly or by a redirect", async () => {
    const inside = await serve((_, response) => response.end("secret"), { host: "127.0.0.2" });
    const server = await serve((_, response) => response.writeHead(302, { location: inside.url }).end());
    expect((await outcome(probe(inside.url))).failure).toBe("address_forbidden");
    expect((await outcome(probe(server.url))).failure).toBe("address_forbidden");
    expect(inside.requests).toEqual([]);
  });

  it("gives up in time, whatever the single steps may take, and lets go of the connection", async () => {
    let closed: Promise<unknown> | undefined;
    const url = await serveRaw((socket) => {
      closed = once(socket, "close");
      socket.resume();
    });
    const { problem } = await probe(url, { longestMs: 300 });
    expect([problem?.failure, problem?.message]).toEqual(["timed_out", `${url}/ gave no answer within 300 ms`]);
    await closed;
  });

  it("ends with the call's signal, whose reason passes through", async () => {
    const leaving = new AbortController();
    const gone = new Error("gone");
    const url = await serveRaw(() => leaving.abort(gone));
    await expect(probe(url, { signal: leaving.signal })).rejects.toBe(gone);
  });
});

describe("probing https", () => {
  const serveTls = (tls = certificate) => serve((_, response) => response.end("content"), { tls });

  it("shows a certificate that is not trusted, says why, and sends no request", async () => {
    const server = await serveTls();
    const { problem, certificate: der } = await probe(server.url);
    expect(problem?.failure).toBe("certificate_untrusted");
    expect(problem?.message).toContain("is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)");
    expect(new Uint8Array(der!)).toEqual(derOf(certificate));
    expect(server.requests).toEqual([]);
  });

  it("shows one that is trusted by the thumbprint that was declared", async () => {
    const server = await serveTls();
    const finding = await outcome(probe(server.url, { thumbprint: thumbprintOf(certificate, "sha1") }));
    expect(finding).toEqual({ failure: undefined, certificate: derOf(certificate) });
  });

  it("shows the one there is where another was declared", async () => {
    const other = makeCertificate();
    const server = await serveTls(other);
    const finding = await outcome(probe(server.url, { thumbprint: thumbprintOf(certificate) }));
    expect(finding).toEqual({ failure: "thumbprint_differs", certificate: derOf(other) });
  });

  it("shows the certificate of the address and not that of a server that it redirects to", async () => {
    const end = await serveTls(makeCertificate());
    const server = await serve((_, response) => response.writeHead(302, { location: end.url }).end(), {
      tls: certificate,
    });
    const pinned = await outcome(probe(server.url, { thumbprint: thumbprintOf(certificate) }));
    expect(pinned).toEqual({ failure: "thumbprint_differs", certificate: derOf(certificate) });
    const plain = await serve((_, response) => response.writeHead(302, { location: end.url }).end());
    expect(await outcome(probe(plain.url))).toEqual({ failure: "certificate_untrusted", certificate: undefined });
  });

  it("shows none where the port does not speak TLS", async () => {
    const server = await serve((_, response) => response.end());
    const finding = await outcome(probe(server.url.replace("http:", "https:")));
    expect(finding).toEqual({ failure: "tls_failed", certificate: undefined });
  });
});

describe("probing file: and ds:", () => {
  it("finds what a fetch would find below the roots", async () => {
    const root = join(folder, "root");
    await writeFile(join(root, "here"), "content");
    for (const scheme of ["file", "ds"]) {
      expect(await outcome(probe(`${scheme}://${root}/here`))).toEqual({ failure: undefined, certificate: undefined });
      expect((await outcome(probe(`${scheme}://${root}/away`))).failure).toBe("not_found");
      expect((await outcome(probe(`${scheme}:///etc/passwd`))).failure).toBe("outside_roots");
    }
  });
});
