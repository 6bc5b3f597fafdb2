// What can be downloaded: the files of a session, or of an item as they are now.
import type { CallOptions } from "@connectrpc/connect";
import type { ItemFile } from "../../../gen/slipway/upload/v1/catalog_pb.js";
import type { File, FileContent } from "../../../gen/slipway/upload/v1/file_pb.js";
import { getItem, isId, type Lookup } from "../catalog/find.js";
import { listAll } from "../connection/all-pages.js";
import { CliError, wrongUse } from "../shell/cli-error.js";
import { findSha256 } from "./content-hash.js";
import type { Named } from "./output-paths.js";
import { pathOf } from "./output-paths.js";

export interface RemoteFile extends Named {
  /** What a call names it by. */
  readonly key: string;
  /** Undefined while it is not whole. */
  readonly content: { readonly sizeBytes: number; readonly sha256: string } | undefined;
}

/** Bytes in order; the checksum of the whole content comes first. */
export interface Piece {
  readonly sha256?: string | undefined;
  readonly data: Uint8Array;
}

export interface DownloadSource {
  /** What it is to people: `session` or `item`. */
  readonly kind: "session" | "item";
  readonly id: string;
  /** Of an item: which one of its contents was listed. */
  readonly contentVersion: number | undefined;
  readonly files: readonly RemoteFile[];
  read(file: RemoteFile, offset: number, options: CallOptions): AsyncIterable<Piece>;
}

/** How often an item is listed anew that changes meanwhile. */
const mostLists = 10;

/** Finds a session by its id, or an item by `LIBRARY/ITEM`, with all its files. */
export async function openSource(lookup: Lookup, word: string): Promise<DownloadSource> {
  if (word.includes("/")) return await openItem(lookup, word);
  if (isId(word)) return await openSession(lookup, word);
  throw wrongUse(`this needs a session's id or LIBRARY/ITEM, not ${JSON.stringify(word)}`);
}

async function openSession({ client, ask }: Lookup, sessionId: string): Promise<DownloadSource> {
  const files = await listAll(
    (page) => ask((options) => client.files.listFiles({ sessionId, ...page }, options)),
    (page) => page.files,
  );
  return {
    kind: "session",
    id: sessionId,
    contentVersion: undefined,
    files: files.reverse().map(remoteFileOf),
    async *read(file, offset, options) {
      const request = { sessionId, fileId: file.key, offset: BigInt(offset) };
      for await (const { file: first, data } of client.files.readFile(request, options))
        yield { sha256: findSha256(first?.content?.checksums), data };
    },
  };
}

/** The list is of one version of the content: it is made again when the item has moved on meanwhile. */
async function openItem(lookup: Lookup, word: string): Promise<DownloadSource> {
  const { client, ask } = lookup;
  let item = await getItem(lookup, word, "what is downloaded");
  for (let lists = 0; lists < mostLists; lists += 1) {
    const { id: itemId, contentVersion } = item;
    const files = await listAll(
      (page) => ask((options) => client.catalog.listItemFiles({ itemId, ...page }, options)),
      (page) => page.files,
    );
    const now = (await ask((options) => client.catalog.getItem({ itemId }, options))).item;
    if (now === undefined) throw new CliError("the server's answer holds no item");
    if (now.contentVersion === contentVersion) {
      return {
        kind: "item",
        id: itemId,
        contentVersion: Number(contentVersion),
        files: files.map(remoteFileOfItem),
        async *read(file, offset, options) {
          const request = { itemId, name: file.key, offset: BigInt(offset) };
          for await (const { file: first, data } of client.catalog.readItemFile(request, options))
            yield { sha256: findSha256(first?.content?.checksums), data };
        },
      };
    }
    item = now;
  }
  throw new CliError(`${word} changes all the time: its files were listed ${mostLists} times without one whole list`);
}

function remoteFileOf(file: File): RemoteFile {
  return { key: file.id, name: file.spec?.name ?? "", path: pathOf(file), content: contentOf(file.content) };
}

function remoteFileOfItem({ name, attributes, content }: ItemFile): RemoteFile {
  const path = attributes?.path;
  return { key: name, name, path: typeof path === "string" && path !== "" ? path : name, content: contentOf(content) };
}

function contentOf(content: FileContent | undefined): RemoteFile["content"] {
  const sha256 = findSha256(content?.checksums);
  return content === undefined || sha256 === undefined ? undefined : { sizeBytes: Number(content.sizeBytes), sha256 };
}
