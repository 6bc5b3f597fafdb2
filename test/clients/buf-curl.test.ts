// A generic client with none of our files at hand: `buf curl` learns all that it knows from the server's reflection.
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { AccessService } from "../../gen/slipway/upload/v1/access_service_pb.js";
import { BlobService } from "../../gen/slipway/upload/v1/blob_service_pb.js";
import { CatalogService } from "../../gen/slipway/upload/v1/catalog_service_pb.js";
import { ErrorInfoSchema, ErrorReason } from "../../gen/slipway/upload/v1/error_pb.js";
import { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import { SessionService } from "../../gen/slipway/upload/v1/session_service_pb.js";
import { useServer } from "../rpc/scene.js";
import { slices } from "../support/bodies.js";
import { adminPassword } from "../support/server.js";

const buf = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));
const services = [AccessService, BlobService, CatalogService, FileService, SessionService];
const password = ["--user", `admin:${adminPassword}`];

interface Run {
  /** 0, or the code of the refusal times eight. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe.each(["in plain text", "over TLS"])("buf curl %s", (security) => {
  const server = useServer(() => ({ tls: security === "over TLS" }));
  /** The home and the working folder of every run: what it could find a schema in. */
  let folder: string;
  const trust: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(inject("runFolder"), "buf-"));
    const { ca } = server.get();
    if (ca === undefined) return;
    const caFile = join(await mkdtemp(join(inject("runFolder"), "ca-")), "ca.pem");
    await writeFile(caFile, ca);
    trust.push("--cacert", caFile);
  });

  function runCurl(path: string, words: readonly string[], input = ""): Promise<Run> {
    const all = ["curl", ...trust, ...words, `${server.get().url}${path}`];
    const options = { cwd: folder, env: { HOME: folder, PATH: process.env.PATH }, maxBuffer: 16 * 2 ** 20 };
    return new Promise((resolve) => {
      const child = execFile(buf, all, options, (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
      });
      child.stdin?.end(input);
    });
  }

  describe.each(["connect", "grpc", "grpcweb"])("with --protocol %s", (protocol) => {
    const words = ["--protocol", protocol];

    /** What is answered to these messages. */
    // biome-ignore lint/suspicious/noExplicitAny: JSON as it comes, of whatever method
    async function call(method: string, ...messages: readonly object[]): Promise<any[]> {
      const input = messages.map((message) => JSON.stringify(message)).join("\n");
      const { exitCode, stdout, stderr } = await runCurl(
        `/slipway.upload.v1.${method}`,
        [...words, ...password, "--data", "@-"],
        input,
      );
      expect([exitCode, stderr], method).toEqual([0, ""]);
      return JSON.parse(`[${stdout.replaceAll(/^\}\n(?=\{)/gm, "},\n")}]`);
    }

    it("lists the services and their methods, without credentials", async () => {
      const linesOf = async (flag: string) => (await runCurl("", [...words, flag])).stdout.trim().split("\n");
      expect(await linesOf("--list-services")).toEqual(
        expect.arrayContaining([...services.map(({ typeName }) => typeName), "grpc.health.v1.Health"]),
      );
      const methods = services.flatMap(({ typeName, methods }) => methods.map(({ name }) => `${typeName}/${name}`));
      expect(await linesOf("--list-methods")).toEqual(expect.arrayContaining(methods));
    });

    it("runs a whole session: creates it, adds files, uploads, completes, reads back and follows", async () => {
      const [{ session }] = await call("SessionService/CreateSession", { label: protocol });
      const sessionId = session.id;
      const add = async (name: string) => {
        const [{ file }] = await call("FileService/AddFile", { sessionId, spec: { name } });
        return { sessionId, fileId: file.id as string };
      };

      const content = randomBytes(1_500_000);
      const streamed = await add("streamed.bin");
      const [upload] = await call(
        "FileService/UploadFile",
        { start: { ...streamed, sizeBytes: content.length } },
        ...[...slices(content, 400_000)].map((data) => ({ chunk: { data: Buffer.from(data).toString("base64") } })),
        { finish: { checksums: [sha256Of(content)] } },
      );
      expect(upload).toMatchObject({ file: { state: "FILE_STATE_READY" }, committedOffset: "1500000", applied: true });

      const inParts = await add("in-parts.txt");
      const first = { ...inParts, data: Buffer.from("one ").toString("base64"), checksum: sha256Of("one ") };
      expect(await call("FileService/UploadPart", first)).toMatchObject([
        { file: { state: "FILE_STATE_TRANSFERRING" }, committedOffset: "4", applied: true },
      ]);
      const last = { ...inParts, offset: 4, data: Buffer.from("two").toString("base64"), finish: true };
      expect(await call("FileService/UploadPart", last)).toMatchObject([
        { file: { state: "FILE_STATE_READY" }, committedOffset: "7", applied: true },
      ]);

      expect(await call("SessionService/CompleteSession", { sessionId })).toMatchObject([
        { session: { id: sessionId, state: "SESSION_STATE_DONE", fileCount: 2 }, applied: true },
      ]);

      for (const [place, expected] of [
        [streamed, content],
        [inParts, Buffer.from("one two")],
      ] as const) {
        const answers = await call("FileService/ReadFile", place);
        expect(answers[0].file.content).toEqual({
          sizeBytes: String(expected.length),
          checksums: [sha256Of(expected)],
        });
        const bytes = Buffer.concat(answers.map(({ data = "" }) => Buffer.from(data, "base64")));
        expect(bytes.equals(expected)).toBe(true);
      }

      const news = await call("SessionService/WatchSession", { sessionId });
      expect(news.map(({ event }) => [event.number, event.type, event.fileName])).toEqual([
        ["1", "SESSION_EVENT_TYPE_SESSION_CREATED", undefined],
        ["2", "SESSION_EVENT_TYPE_FILE_ADDED", "streamed.bin"],
        ["3", "SESSION_EVENT_TYPE_FILE_READY", "streamed.bin"],
        ["4", "SESSION_EVENT_TYPE_FILE_ADDED", "in-parts.txt"],
        ["5", "SESSION_EVENT_TYPE_FILE_READY", "in-parts.txt"],
        ["6", "SESSION_EVENT_TYPE_SESSION_DONE", undefined],
      ]);
    });

    it("is told by a refusal's detail where to go on", async () => {
      const [{ session }] = await call("SessionService/CreateSession", {});
      const spec = { name: "gap.bin" };
      const [{ file }] = await call("FileService/AddFile", { sessionId: session.id, spec });
      const part = { sessionId: session.id, fileId: file.id, data: Buffer.from("four").toString("base64") };
      await call("FileService/UploadPart", part);
      const { exitCode, stderr } = await runCurl("/slipway.upload.v1.FileService/UploadPart", [
        ...[...words, ...password],
        ...["--data", JSON.stringify({ ...part, offset: 100 })],
      ]);
      const { code, message, details } = JSON.parse(stderr);
      expect(exitCode).toBe(Code.OutOfRange << 3);
      expect([code, message]).toEqual(["out_of_range", 'file "gap.bin" has 4 bytes, a part at 100 would leave a gap']);
      expect(details).toMatchObject([{ type: "slipway.upload.v1.ErrorInfo" }]);
      expect(fromBinary(ErrorInfoSchema, Buffer.from(details[0].value, "base64"))).toMatchObject({
        reason: ErrorReason.OFFSET_UNEXPECTED,
        code: "offset_mismatch",
        expectedOffset: 4n,
      });
      // Only Connect's errors have room for a detail that people can read.
      if (protocol === "connect") {
        expect(details[0].debug).toMatchObject({ reason: "ERROR_REASON_OFFSET_UNEXPECTED", expectedOffset: "4" });
      }
    });

    it("comes in with a login and its password, or with a token, and not without", async () => {
      const askWith = (...credentials: string[]) =>
        runCurl("/slipway.upload.v1.AccessService/WhoAmI", [...words, ...credentials, "--data", "{}"]);
      const token = ["--header", `authorization: Bearer ${server.get().token}`];
      for (const credentials of [password, token]) {
        const { exitCode, stdout } = await askWith(...credentials);
        expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { user: { name: "admin" } }]);
      }
      const { exitCode, stderr } = await askWith();
      expect([exitCode, JSON.parse(stderr).code]).toEqual([Code.Unauthenticated << 3, "unauthenticated"]);
    });
  });
});

function sha256Of(content: string | Uint8Array) {
  const checksum = createHash("sha256").update(content).digest("hex");
  return { algorithm: "CHECKSUM_ALGORITHM_SHA256", checksum };
}
