import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect as connect2 } from "node:http2";
import { createServer } from "node:https";
import { join } from "node:path";
import { connect as connectSecurely } from "node:tls";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/server/config.js";
import { loadTls, type TlsPair, watchTls } from "../../src/server/tls.js";
import { readBack, storeFile } from "../rpc/scene.js";
import { pseudoRandom } from "../support/bodies.js";
import { makeCertificate, writeCertificate } from "../support/certificate.js";
import { openClient, wires } from "../support/client.js";
import { makeDataDir, spawnServer, startServer } from "../support/server.js";

const one = makeCertificate();
const other = makeCertificate();

describe("the certificate and its key", () => {
  it("are taken when they belong together", async () => {
    expect(await loadTls(await writeCertificate(one))).toEqual(one);
    createServer(one).close();
  });

  it.each<[string, Partial<TlsPair>, RegExp]>([
    ["a key of another certificate", { key: other.key }, /^SLIPWAY_TLS_KEY must be the key of the certificate/],
    ["a certificate that is none", { cert: "hello" }, /^SLIPWAY_TLS_CERT must be a certificate in PEM form/],
    ["a key that is none", { key: "hello" }, /^SLIPWAY_TLS_KEY must be a private key in PEM form/],
    ["two that are the wrong way round", { cert: one.key, key: one.cert }, /^SLIPWAY_TLS_CERT must be a certificate/],
  ])("are refused by the setting's name for %s", async (_what, wrong, expected) => {
    const refused = loadTls(await writeCertificate({ ...one, ...wrong }));
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(expected);
  });

  it("are refused by the setting's name where there is no file", async () => {
    const files = await writeCertificate(one);
    await expect(loadTls({ ...files, certFile: "/nowhere/c" })).rejects.toThrow(/^SLIPWAY_TLS_CERT .*ENOENT/);
    await expect(loadTls({ ...files, keyFile: "/nowhere/k" })).rejects.toThrow(/^SLIPWAY_TLS_KEY .*ENOENT/);
  });

  it("are taken up when both files have been replaced; until they match, the pair so far stays", async () => {
    const files = await writeCertificate(one);
    const errors: unknown[] = [];
    const taken = await new Promise<TlsPair>((resolve) => {
      const watch = watchTls(files, {
        everyMs: 20,
        onError(error) {
          errors.push(error);
          void writeFile(files.keyFile, other.key);
        },
        onPair(pair) {
          watch.stop();
          resolve(pair);
        },
      });
      // A file's watch begins with a look at what is there.
      setTimeout(() => void writeFile(files.certFile, other.cert), 200);
    });
    expect(taken).toEqual(other);
    expect(errors[0]).toBeInstanceOf(ConfigError);
  });
});

/** Of the command line in a process of its own: Node reads its authorities at its start. */
async function exitCodeOf(words: readonly string[], env: Record<string, string>): Promise<number> {
  const bin = fileURLToPath(new URL("../../src/cli/slipway.cjs", import.meta.url));
  const child = spawn(process.execPath, [bin, ...words], { env: { PATH: process.env.PATH, ...env }, stdio: "ignore" });
  const [code] = await once(child, "close");
  return code;
}

describe("a server with TLS", () => {
  it("takes an upload over every protocol, and gives it back", async () => {
    const server = await startServer({ tls: true });
    expect(server.url).toMatch(/^https:/);
    const content = pseudoRandom(700_000);
    for (const wire of wires) {
      const client = openClient(server, wire);
      const place = await storeFile(client, content);
      expect((await readBack(client, place)).equals(content)).toBe(true);
      client.close();
    }
    expect(await server.stop()).toBe(0);
  });

  it("answers a request that makes no sense with 400, as without TLS, and lives on", async () => {
    const server = await startServer({ tls: true });
    const path = "/slipway.upload.v1.SessionService/GetSession";
    const ca = server.ca ?? "";
    async function exchange(text: string): Promise<string> {
      const socket = connectSecurely({ port: server.port, ca });
      socket.write(text);
      return (await socket.setEncoding("latin1").toArray()).join("");
    }
    for (const head of ["HTTP/1.0\r\n", "HTTP/1.1\r\nHost: [\r\n", "HTTP/1.1\r\nHost: a b\r\n", "HTTP/1.1\r\n"]) {
      const answer = await exchange(`POST ${path} ${head}Content-Length: 0\r\nConnection: close\r\n\r\n`);
      expect(answer, head).toMatch(/^HTTP\/1\.1 400 /);
    }
    const session = connect2(server.url, { ca });
    const stream = session.request({ ":method": "POST", ":path": path, ":authority": "[" });
    expect((await once(stream, "response"))[0]).toMatchObject({ ":status": 400 });
    const next = session.request({ ":path": "/healthz" });
    expect((await once(next, "response"))[0]).toMatchObject({ ":status": 200 });
    session.destroy();
    await server.kill();
  });

  it("whose key belongs to another certificate does not start: one sentence, and exit code 2", async () => {
    const { certFile, keyFile } = await writeCertificate({ cert: one.cert, key: other.key });
    const dataDir = await makeDataDir();
    const server = spawnServer([
      "--listen",
      "127.0.0.1:0",
      "--data-dir",
      dataDir,
      "--tls-cert",
      certFile,
      "--tls-key",
      keyFile,
    ]);
    expect(await server.exited).toBe(2);
    expect(server.stderr()).toMatch(/^slipway: SLIPWAY_TLS_KEY must be the key [^\n]*\n$/);
  });

  it.each(["connect", "grpc"])(
    "is served by the command line over %s when NODE_EXTRA_CA_CERTS names the authority",
    async (protocol) => {
      const server = await startServer({ tls: true });
      const caFile = join(await makeDataDir(), "ca.pem");
      await writeFile(caFile, server.ca ?? "");
      const words = [
        "ls",
        "--url",
        server.url,
        "--token",
        server.token,
        "--json",
        "--protocol",
        protocol,
        "--retry-for",
        "1s",
      ];
      expect(await exitCodeOf(words, { NODE_EXTRA_CA_CERTS: caFile })).toBe(0);
      expect(await exitCodeOf(words, {})).toBe(1);
      await server.kill();
    },
  );
});
