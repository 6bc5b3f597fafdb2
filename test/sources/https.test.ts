import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { makeCertificate, writeCertificate } from "../support/certificate.js";
import { thumbprintOf } from "./thumbprint-of.js";
import { createSource, failureOf, open, readAll, serve, serveRaw } from "./web.js";

const source = createSource();
const certificate = makeCertificate();
const serveTls = (tls = certificate) => serve((_, response) => response.end("content"), { tls });

describe("a thumbprint that matches", () => {
  it.each<[string, "sha1" | "sha256", (text: string) => string]>([
    ["SHA-1 with colons", "sha1", (text) => text],
    ["SHA-256 with colons", "sha256", (text) => text],
    ["SHA-1 in lower case without colons", "sha1", (text) => text.replaceAll(":", "").toLowerCase()],
    ["SHA-256 in lower case without colons", "sha256", (text) => text.replaceAll(":", "").toLowerCase()],
  ])("is trust enough for a certificate that signed itself: %s", async (_, algorithm, write) => {
    const server = await serveTls();
    const thumbprint = write(thumbprintOf(certificate, algorithm));
    expect(String(await readAll(await open(source, server.url, { thumbprint })))).toBe("content");
  });

  it("is trust enough for one that has expired, and for one of another name", async () => {
    const expired = makeCertificate("localhost", -1000);
    const server = await serveTls(expired);
    const thumbprint = thumbprintOf(expired, "sha1");
    expect(String(await readAll(await open(source, server.url, { thumbprint })))).toBe("content");
    const byName = createSource("files.example", { lookUp: async () => ["127.0.0.1"] });
    const content = await open(byName, `https://files.example:${server.port}/`, { thumbprint });
    expect(String(await readAll(content))).toBe("content");
  });
});

describe("a thumbprint that does not match", () => {
  it.each(["sha1", "sha256"] as const)("is final, tells both, and no request is sent: %s", async (algorithm) => {
    const other = makeCertificate();
    const server = await serveTls(other);
    const error = await failureOf(open(source, server.url, { thumbprint: thumbprintOf(certificate, algorithm) }));
    expect([error.failure, error.isFinal]).toEqual(["thumbprint_differs", true]);
    const [shown, declared] = [thumbprintOf(other, algorithm), thumbprintOf(certificate, algorithm)];
    expect(error.message).toBe(
      `the certificate of 127.0.0.1:${server.port} has the thumbprint ${shown}, not ${declared}; declare the right one if the server's certificate was changed`,
    );
    expect(server.requests).toEqual([]);
  });
});

describe("without a thumbprint", () => {
  it.each([
    ["signed itself", certificate, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["has expired", makeCertificate("localhost", -1000), "(CERT_HAS_EXPIRED|DEPTH_ZERO_SELF_SIGNED_CERT)"],
  ])("a certificate that %s is refused before a request, with the thumbprint to declare", async (_, tls, code) => {
    const server = await serveTls(tls);
    const error = await failureOf(open(source, server.url));
    expect([error.failure, error.isFinal]).toEqual(["certificate_untrusted", true]);
    expect(error.message).toMatch(new RegExp(`is not trusted \\(${code}\\); if it is the right one, declare its`));
    expect(error.message).toContain(thumbprintOf(tls, "sha256"));
    expect(server.requests).toEqual([]);
  });

  it("the authorities that NODE_EXTRA_CA_CERTS names are trusted, for the names of their certificates only", async () => {
    const server = await serveTls();
    const { certFile } = await writeCertificate(certificate);
    const script = `
      const { parseSource } = await import(process.argv[1] + "/core/index.js");
      const { createHttpSource } = await import(process.argv[1] + "/sources/http.js");
      const lookUp = async () => ["127.0.0.1"];
      const source = createHttpSource({ policy: { allows: () => true }, lookUp });
      for (const uri of process.argv.slice(2)) {
        try {
          const content = await source.open(parseSource(uri), new AbortController().signal);
          for await (const bytes of content.bytes) console.log(String(bytes));
        } catch (error) {
          console.log(error.failure, error.message.match(/\\((.*?)\\)/)[1]);
        }
      }`;
    const dist = fileURLToPath(new URL("../../dist/src", import.meta.url));
    const uris = ["localhost", "127.0.0.1", "files.example"].map((host) => `https://${host}:${server.port}/`);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "--eval", script, dist, ...uris],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: certFile } },
    );
    const refused = "certificate_untrusted ERR_TLS_CERT_ALTNAME_INVALID";
    expect(stdout.trim().split("\n")).toEqual(["content", "content", refused]);
  });
});

describe("https", () => {
  it("to a port that speaks plain HTTP is final, and to one that hangs up worth a retry", async () => {
    const plain = await serve((_, response) => response.end("plain"));
    const error = await failureOf(open(source, `https://127.0.0.1:${plain.port}/`));
    expect([error.failure, error.isFinal]).toEqual(["tls_failed", true]);
    expect(error.message).toMatch(/^127.0.0.1:\d+ does not speak TLS as https needs it \(\w+\); check the port$/);
    const hanging = (await serveRaw((socket) => socket.once("data", () => socket.end()))).replace("http:", "https:");
    const broken = await failureOf(open(source, hanging));
    expect([broken.failure, broken.isFinal]).toEqual(["unreachable", false]);
  });

  it("tells the server the name that it is asked for, and no name where it is asked by its address", async () => {
    const names: string[] = [];
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (hello) => {
        names.push(hello.includes("files.example") ? "files.example" : "none");
        socket.destroy();
      });
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const byName = createSource("files.example,127.0.0.1", { lookUp: async () => ["127.0.0.1"] });
    await failureOf(open(byName, `https://files.example:${port}/`));
    await failureOf(open(byName, `https://127.0.0.1:${port}/`));
    expect(names).toEqual(["files.example", "none"]);
    server.close();
  });
});
