// Capability URLs as the port serves them, over the real stores.
import { afterAll, beforeAll } from "vitest";
import { createCapabilities } from "../../../src/access/capabilities.js";
import { type AddFileInput, type Call, claimUpload, UploadError } from "../../../src/core/index.js";
import { capabilityPrefix } from "../../../src/rest/kit/index.js";
import { createCapabilityUrls } from "../../../src/server/capability-urls.js";
import { createDrain } from "../../../src/server/drain.js";
import { type Listener, listen } from "../../../src/server/listen.js";
import { createWireHandler } from "../../../src/server/wire-http.js";
import { type HttpClient, httpVersions, openHttp } from "../../support/http.js";
import { type FilePlace, type OpenedUploads, openUploads, startFile } from "../../support/uploads.js";

export interface CapabilityScene {
  readonly opened: OpenedUploads;
  readonly cut: AbortController;
  /** What was logged as not foreseen. */
  readonly unexpected: unknown[];
  /** Users that are gone, and calls in the place of those that others may do less. */
  readonly callers: Map<string, Call>;
  clients: Record<(typeof httpVersions)[number], HttpClient>;
  url: string;
  /** The path that a file may be sent to, as Alice. */
  pathOf(place: FilePlace): Promise<string>;
  /** The path that only reads a file, as Alice, until `deadline`. */
  readingPathOf(place: FilePlace, deadline: Date): Promise<string>;
  /** A file of Alice's, and its path. */
  offer(spec?: Partial<AddFileInput>): Promise<FilePlace & { readonly path: string }>;
}

export function useCapabilities(): CapabilityScene {
  const scene = { cut: new AbortController(), unexpected: [], callers: new Map() } as unknown as {
    -readonly [K in keyof CapabilityScene]: CapabilityScene[K];
  };
  let listener: Listener;
  beforeAll(async () => {
    const opened = await openUploads();
    scene.opened = opened;
    for (const call of [opened.alice, opened.bob]) scene.callers.set(call.caller.userId, call);
    const key = crypto.getRandomValues(new Uint8Array(32));
    const urls = createCapabilityUrls({
      key,
      uploads: opened.uploads,
      now: () => new Date(),
      logCause: (error) => scene.unexpected.push(error),
      async principalOf({ userId }) {
        const call = scene.callers.get(userId);
        if (call === undefined) throw new UploadError("unauthenticated", "gone", { reason: "TOKEN_INVALID" });
        const use = () => {
          if (scene.callers.has(userId)) return;
          throw new UploadError("unauthenticated", "gone", { reason: "TOKEN_INVALID" });
        };
        return { caller: call.caller, use, user: { name: "somebody" }, tenant: { name: "default" } };
      },
    });
    const handler = createWireHandler({
      handle: (request) => {
        if (request.path.startsWith(capabilityPrefix)) return urls.handle(request);
        throw new Error("a path that nobody foresaw");
      },
      describe: () => ({ id: "", origin: "", peerAddress: "192.0.2.1" }),
      track: createDrain().track,
      cut: scene.cut.signal,
      logUnexpected: (error) => scene.unexpected.push(error),
    });
    const onError = (error: unknown) => scene.unexpected.push(error);
    listener = await listen({ host: "127.0.0.1", port: 0, maxBufferedBytes: 2 ** 27, onError, handler });
    scene.url = listener.url;
    scene.clients = { "1.1": openHttp(listener.url, "1.1"), "2": openHttp(listener.url, "2") };
    scene.pathOf = async (place) => {
      const { file } = await opened.uploads.getFile(place, opened.alice);
      return urls.offerUpload(file, opened.alice.caller).path;
    };
    scene.readingPathOf = async (place, until) => {
      const { file } = await opened.uploads.getFile(place, opened.alice);
      const deadline = Math.ceil(until.getTime() / 1000);
      const claim = { ...claimUpload(file, opened.alice.caller, until), purpose: "download" as const, deadline };
      return capabilityPrefix + createCapabilities({ key }).sign(claim);
    };
    scene.offer = async (spec) => {
      const place = await startFile(opened.uploads, opened.alice, spec);
      return { ...place, path: await scene.pathOf(place) };
    };
  });
  afterAll(async () => {
    for (const version of httpVersions) scene.clients[version].close();
    listener.destroy();
    await scene.opened.close();
  });
  return scene;
}
