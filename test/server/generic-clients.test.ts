// What clients do that know nothing of this server but the standards: grpc.health.v1 and server reflection.
import { create, createFileRegistry, fromBinary, type Registry } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.js";
import { ServerReflection as V1 } from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as V1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { UploadError } from "../../src/core/index.js";
import { createHealthService } from "../../src/server/health-service.js";
import { useServer } from "../rpc/scene.js";
import { openClient, refusalOf, type Wire, wires } from "../support/client.js";
import { startServer } from "../support/server.js";

const server = useServer();
const services = [
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
  "slipway.upload.v1.FileService",
  "slipway.upload.v1.SessionService",
];

/** Without credentials. */
const transportOf = (wire: Wire) => openClient({ url: server.get().url }, wire);

describe.each(wires)("health over %s, with no credentials", (wire) => {
  it("is SERVING for the server and each of its services, and NOT_FOUND for another", async () => {
    const { transport, close } = transportOf(wire);
    const health = createClient(Health, transport);
    for (const service of ["", ...services]) {
      expect((await health.check({ service })).status, service).toBe(Status.SERVING);
    }
    expect((await refusalOf(health.check({ service: "nobody.Knows" }))).code).toBe("NOT_FOUND");
    const { statuses } = await health.list({});
    expect(Object.keys(statuses)).toEqual(expect.arrayContaining(["", ...services]));
    close();
  });

  it("is told to a watcher at once, SERVICE_UNKNOWN for a service that is not there", async () => {
    const { transport, close } = transportOf(wire);
    for (const [service, expected] of [
      ["", Status.SERVING],
      ["nobody.Knows", Status.SERVICE_UNKNOWN],
    ] as const) {
      const controller = new AbortController();
      const watch = createClient(Health, transport).watch({ service }, { signal: controller.signal });
      const { value } = await watch[Symbol.asyncIterator]().next();
      expect(value?.status).toBe(expected);
      controller.abort();
    }
    close();
  });
});

it.each(["connect/1.1", "grpc/2"] as const)(
  "a watch over %s ends with NOT_SERVING when the server stops, and does not hold it up",
  async (wire) => {
    const own = await startServer();
    const { transport, close } = openClient({ url: own.url }, wire);
    const told: Status[] = [];
    let stopped: Promise<unknown> | undefined;
    const since = performance.now();
    for await (const { status } of createClient(Health, transport).watch({})) {
      told.push(status);
      stopped ??= own.stop();
    }
    expect(told).toEqual([Status.SERVING, Status.NOT_SERVING]);
    close();
    expect(await stopped).toBe(0);
    expect(performance.now() - since).toBeLessThan(9_000);
  },
);

it("a watcher is told of every change, and whoever asks within a second shares one look", async () => {
  let ready = true;
  let looks = 0;
  const leaving = new AbortController();
  const service = createHealthService({
    services: () => [],
    leaving: leaving.signal,
    async checkReady() {
      looks++;
      if (!ready) throw new UploadError("unavailable", "away", { reason: "DATABASE_UNAVAILABLE" });
    },
  });
  const context = { signal: leaving.signal } as never;
  const ask = { service: "" } as never;
  await Promise.all(Array.from({ length: 100 }, () => service.check(ask, context)));
  expect(looks).toBe(1);
  const told: (Status | undefined)[] = [];
  for await (const { status } of service.watch(ask, context)) {
    told.push(status);
    if (told.length === 3) leaving.abort();
    ready = !ready;
  }
  expect(told).toEqual([Status.SERVING, Status.NOT_SERVING, Status.SERVING, Status.NOT_SERVING]);
});

/** One file a test would ask for by name. */
const sessionFile = "slipway/upload/v1/session_service.proto";

describe.each(["grpc/2", "connect/2"] as const)("reflection over %s, with no credentials", (wire) => {
  for (const [version, service] of Object.entries({ v1: V1, v1alpha: V1Alpha })) {
    type Question = { case: string; value: unknown };
    async function ask(...questions: Question[]) {
      const { transport, close } = transportOf(wire);
      async function* requests() {
        for (const messageRequest of questions) yield { host: "me", messageRequest } as never;
      }
      const answers = [];
      for await (const answer of createClient(service, transport).serverReflectionInfo(requests())) {
        expect([answer.validHost, answer.originalRequest?.host]).toEqual(["me", "me"]);
        answers.push(answer.messageResponse);
      }
      close();
      return answers;
    }
    async function filesOf(question: Question): Promise<readonly FileDescriptorProto[]> {
      const [answer] = await ask(question);
      if (answer?.case !== "fileDescriptorResponse") throw new Error(`answered ${JSON.stringify(answer)}`);
      return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    }
    /** Files that are imported come before those that import them. */
    function registryOf(files: readonly FileDescriptorProto[]): Registry {
      const sorted = new Set<FileDescriptorProto>();
      const add = (name: string): void => {
        const file = files.find((one) => one.name === name)!;
        file.dependency.forEach(add);
        sorted.add(file);
      };
      add(files[0]!.name);
      return createFileRegistry(create(FileDescriptorSetSchema, { file: [...sorted] }));
    }

    it(`${version} lists the services`, async () => {
      const [answer] = await ask({ case: "listServices", value: "*" });
      const names = answer?.case === "listServicesResponse" ? answer.value.service.map(({ name }) => name) : [];
      expect(names).toEqual(expect.arrayContaining(services));
    });

    it(`${version} answers a file with all that it imports`, async () => {
      const files = await filesOf({ case: "fileByFilename", value: sessionFile });
      expect(files[0]?.name).toBe(sessionFile);
      const names = new Set(files.map(({ name }) => name));
      for (const { dependency } of files) for (const name of dependency) expect(names).toContain(name);
      expect(names.size).toBe(files.length);
      expect(registryOf(files).getService("slipway.upload.v1.SessionService")?.methods.length).toBeGreaterThan(5);
    });

    it.each([
      ["a service", "slipway.upload.v1.SessionService", sessionFile],
      ["a method", "slipway.upload.v1.SessionService.CreateSession", sessionFile],
      ["a message", "slipway.upload.v1.Session", "slipway/upload/v1/session.proto"],
      ["a nested message", "slipway.upload.v1.UploadFileRequest.Start", "slipway/upload/v1/upload.proto"],
      ["an enum", "slipway.upload.v1.SessionState", "slipway/upload/v1/session.proto"],
      ["a nested enum", "grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"],
      ["an imported type", "google.protobuf.Timestamp", "google/protobuf/timestamp.proto"],
    ])(`${version} finds the file of %s`, async (_what, symbol, name) => {
      const [file] = await filesOf({ case: "fileContainingSymbol", value: symbol });
      expect(file?.name).toBe(name);
    });

    it(`${version} refuses what is not there in band, and goes on`, async () => {
      const type = "slipway.upload.v1.Session";
      const answers = await ask(
        { case: "fileContainingSymbol", value: "nobody.Knows" },
        { case: "fileByFilename", value: "nowhere.proto" },
        { case: "fileContainingExtension", value: { containingType: type, extensionNumber: 7 } },
        { case: "allExtensionNumbersOfType", value: "nobody.Knows" },
        { case: "allExtensionNumbersOfType", value: type },
      );
      const codes = answers.map((answer) => (answer.case === "errorResponse" ? answer.value.errorCode : answer.case));
      expect(codes).toEqual([...Array(4).fill(Code.NotFound), "allExtensionNumbersResponse"]);
    });
  }
});
