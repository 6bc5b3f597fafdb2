// What AddFile and GetFile offer beside the file, without sockets: the port says how it is reached.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { createClient, createRouterTransport, type Interceptor } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import type { Access, Call, CapabilityClaim, SessionFile } from "../../src/core/index.js";
import { requestKey } from "../../src/rpc/request.js";
import { createInterceptors, type RpcDeps, registerServices } from "../../src/rpc/routes.js";
import { type OpenedUploads, openUploads, startSession } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const expiresAt = new Date("2026-01-10T00:00:00Z");

/** A client of this caller's, through a port that is reached at `origin`. */
function clientOf({ caller }: Call, origin = "https://up.example.com") {
  const deps: RpcDeps = {
    uploads: opened.uploads,
    keepUnreferencedMs: 86_400_000,
    deadlines: { idleTtlMs: 3_600_000, absoluteTtlMs: undefined, keepTerminalMs: 3_600_000 },
    stopping: new AbortController().signal,
    access: { authenticate: async () => ({ caller, use: () => undefined }) } as unknown as Access,
    offerUpload: (file: SessionFile, { userId }: Pick<CapabilityClaim, "userId">) => ({
      path: `/t/${file.id}.${file.attempts}.${userId}`,
      expiresAt,
    }),
    logUnexpected: (error) => console.error(error),
  };
  const port: Interceptor = (next) => (request) => {
    request.contextValues.set(requestKey, { id: "", peerAddress: "", origin });
    return next(request);
  };
  const transport = createRouterTransport((router) => registerServices(router, deps), {
    router: { interceptors: [port, ...createInterceptors(deps)] },
  });
  return createClient(FileService, transport);
}

describe("the upload endpoint of a file", () => {
  it("is offered by AddFile, when it is asked again too, and by GetFile", async () => {
    const { uploads, alice } = opened;
    const client = clientOf(alice);
    const { id: sessionId } = await startSession(uploads, alice);
    const added = await client.addFile({ sessionId, spec: { name: "a.bin" } });
    const again = await client.addFile({ sessionId, spec: { name: "a.bin" } });
    const got = await client.getFile({ sessionId, fileId: added.file!.id });
    for (const { uploadEndpoint } of [added, again, got]) {
      const path = `/t/${added.file!.id}.0.${alice.caller.userId}`;
      expect(uploadEndpoint?.uri).toBe(`https://up.example.com${path}`);
      expect(timestampDate(uploadEndpoint!.expireTime!)).toEqual(expiresAt);
    }
  });

  it("is absent when the session has ended, for who may not upload, and where no origin is known", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const { file } = await clientOf(alice, "").addFile({ sessionId, spec: { name: "a.bin" } });
    const ask = { sessionId, fileId: file!.id };
    const reader: Call = { caller: { ...alice.caller, permissions: new Set(["read"]) } };
    expect((await clientOf(reader).getFile(ask)).uploadEndpoint).toBeUndefined();
    expect((await clientOf(alice, "").getFile(ask)).uploadEndpoint).toBeUndefined();
    expect((await clientOf(alice).getFile(ask)).uploadEndpoint).toBeDefined();
    await uploads.cancelSession({ sessionId }, alice);
    expect((await clientOf(alice).getFile(ask)).uploadEndpoint).toBeUndefined();
  });
});
