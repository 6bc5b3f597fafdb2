// Items with files, download sessions over them, and the URLs of their content as the dialect's handler serves them.
import { beforeAll } from "vitest";
import type { Item, Uploads } from "../../../src/core/index.js";
import { createDialectHandler, type DialectOptions, type WireRequest } from "../../../src/rest/kit/index.js";
import type { VsphereCall } from "../../../src/rest/vsphere/call.js";
import { createDataRows } from "../../../src/rest/vsphere/data/rows.js";
import type { UploadContent } from "../../../src/rest/vsphere/data/service.js";
import { createDownloads } from "../../../src/rest/vsphere/downloads/downloads.js";
import { statusOf, toVapiError } from "../../../src/rest/vsphere/errors.js";
import type { VsphereServices } from "../../../src/rest/vsphere/services.js";
import { makeItem, sendFile, startSession } from "../../support/uploads.js";
import { buildRequest, type FaceScene, useFace } from "./face-scene.js";

export const hour = 3_600_000;
export const deadlines = { idleTtlMs: hour, keepTerminalMs: hour };

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
  readonly compressible: boolean;
}

export interface DownloadScene extends FaceScene {
  sessions: VsphereServices["downloadSessions"];
  files: VsphereServices["downloadFiles"];
  /** What of an upload was asked for. */
  readonly uploadsAsked: string[];
  readonly errors: unknown[];
  /** The same over the same stores, as another process has it. */
  startProcess(over?: Partial<Uploads>): DownloadProcess;
  ask: DownloadProcess["ask"];
  begin: DownloadProcess["begin"];
  /** An item with these files. */
  makeItem(files: Readonly<Record<string, Uint8Array | string>>): Promise<Item>;
  /** Completes a session that replaces, adds or (undefined) removes files. */
  changeItem(item: Item, files: Readonly<Record<string, Uint8Array | string | undefined>>): Promise<void>;
}

export interface DownloadProcess extends ReturnType<typeof createDownloads> {
  /** The answer of the handler as it is given, whose body nobody has read. */
  begin(method: string, url: string, more?: Partial<WireRequest>): ReturnType<ReturnType<typeof handlerOf>["handle"]>;
  ask(method: string, url: string, headers?: Record<string, string>): Promise<Answered>;
}

type Downloads = ReturnType<typeof createDownloads>;

function handlerOf(scene: FaceScene, downloads: Downloads, upload: UploadContent, errors: unknown[]) {
  return createDialectHandler(
    {
      name: "vsphere",
      prefixes: ["/rest", "/com"],
      rows: createDataRows(),
      trailingSlash: "significant",
      queryNames: "exact",
      unread: "close",
      admit: scene.admit,
      lose: () => ({ status: 404, headers: {}, body: "lost" }),
      refuse(error) {
        const refused = toVapiError(error);
        if (refused === undefined) return undefined;
        const { type, messages, headers } = refused;
        return { status: statusOf(refused, "rest"), headers, body: JSON.stringify({ type, messages }) };
      },
      apology: { status: 500, headers: {} },
    },
    { data: { upload, download: downloads.download } } as VsphereServices,
    // No row of these reads a body as text.
    { logUnexpected: (error: unknown) => errors.push(error) } as unknown as DialectOptions,
  );
}

export function useDownloads(options?: Parameters<typeof useFace>[0]): DownloadScene {
  const scene = useFace(options) as DownloadScene;
  const [errors, uploadsAsked]: [unknown[], string[]] = [[], []];
  const told = (what: string) => async (claim: { readonly purpose: string }, r: { readonly wire: WireRequest }) => {
    uploadsAsked.push(`${claim.purpose} ${what} ${r.wire.method}`);
    return { status: 200, headers: {}, body: "{}" };
  };
  const upload: UploadContent = { send: told("send"), standing: told("standing") };

  function startProcess(over: Partial<Uploads> = {}): DownloadProcess {
    const { opened, access, dataUrls, now } = scene;
    const uploads = { ...opened.uploads, ...over };
    const onError = (error: unknown) => errors.push(error);
    const downloads = createDownloads({ uploads, access, dataUrls, deadlines, now, onError });
    const handler = handlerOf(scene, downloads, upload, errors);
    const begin: DownloadProcess["begin"] = (method, url, more = {}) =>
      handler.handle(buildRequest({ method, path: url.replace(/^https?:\/\/[^/]*/, ""), ...more }));
    return {
      ...downloads,
      begin,
      async ask(method, url, headers = {}) {
        const answer = await begin(method, url, { headers });
        return { ...answer, body: await readAll(answer.body), compressible: answer.compressible ?? false };
      },
    };
  }
  beforeAll(() => {
    const { downloadSessions: sessions, downloadFiles: files, ask, begin } = startProcess();
    Object.assign(scene, { sessions, files, ask, begin, errors, uploadsAsked, startProcess });
    scene.makeItem = async (files) => {
      const item = await makeItem(scene.opened);
      await scene.changeItem(item, files);
      return item;
    };
    scene.changeItem = async ({ id: itemId }, files) => {
      const { uploads, alice } = scene.opened;
      const session = await startSession(uploads, alice, { itemId });
      for (const [name, content] of Object.entries(files)) {
        if (content === undefined) await uploads.removeItemFile({ sessionId: session.id, name }, alice);
        else {
          const { file } = await uploads.addFile({ sessionId: session.id, name }, alice);
          await sendFile(uploads, alice, { sessionId: session.id, fileId: file.id }, Buffer.from(content));
        }
      }
      await uploads.completeSession({ sessionId: session.id }, alice);
    };
  });
  return scene;
}

async function readAll(body: string | Uint8Array | AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return Buffer.from(body ?? "");
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** A download session of an item with everything in it prepared, and where each file is read. */
export async function prepareAll(scene: DownloadScene, item: Item, call: VsphereCall) {
  const id = await scene.sessions.create({ create_spec: { library_item_id: item.id } }, call);
  const urls: Record<string, string> = {};
  for (const { name } of await scene.files.list({ download_session_id: id }, call)) {
    const info = await scene.files.prepare({ download_session_id: id, file_name: name }, call);
    urls[name] = info.download_endpoint!.uri;
  }
  return { id, urls };
}
