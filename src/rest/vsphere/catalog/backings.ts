// Where a library says that it keeps its content. The bytes are in this server's store whatever it says; a folder of the
// server is told to the core, which takes files over from there.
import {
  assertSourceLength,
  isSourceError,
  type JsonValue,
  type Library,
  parseSourceAddress,
  refuseSource,
} from "../../../core/index.js";
import { invalidArgument, vapiError } from "../errors.js";
import type { storageBacking } from "../operations/models.js";
import type { ValueOf } from "../schema.js";
import { recordOf, wordsOf } from "./words.js";

export type StorageBacking = ValueOf<typeof storageBacking>;

/**
 * The backings that are recorded, and the folder of the server that is one. Throws `unsupported` for more than one, and
 * `invalid_argument` for a storage URI that is none, or holds a password.
 */
export function parseBackings(backings: readonly StorageBacking[] = []): {
  readonly recorded: readonly { readonly [member: string]: JsonValue }[];
  readonly folder: string | undefined;
} {
  const [only, ...more] = backings;
  if (more.length > 0) {
    const text = `a library has one storage backing, not ${backings.length}`;
    throw vapiError("unsupported", "several_storage_backings", text, [String(backings.length)]);
  }
  if (only === undefined) return { recorded: [], folder: undefined };
  const { type, datastore_id, storage_uri } = only;
  if (type === "DATASTORE") {
    return { recorded: [datastore_id ? { type, datastore_id } : { type }], folder: undefined };
  }
  if (!storage_uri) return { recorded: [{ type }], folder: undefined };
  return { recorded: [{ type, storage_uri }], folder: parseStorageUri(storage_uri) };
}

/** What was recorded of a library; every one has one backing. */
export function backingsOf(library: Library): readonly StorageBacking[] {
  const { storage_backings: recorded } = wordsOf(library);
  const known = (Array.isArray(recorded) ? recorded : []).flatMap((backing): StorageBacking[] => {
    const { type, datastore_id, storage_uri } = recordOf(backing);
    if (type !== "DATASTORE" && type !== "OTHER") return [];
    const place = {
      ...(typeof datastore_id === "string" && { datastore_id }),
      ...(typeof storage_uri === "string" && { storage_uri }),
    };
    return [{ type, ...place }];
  });
  return known.length > 0 ? known : [{ type: "OTHER" }];
}

/** The path of a folder of this server; undefined for a URI of any other kind. */
function parseStorageUri(uri: string): string | undefined {
  if (/^(?:file|ds):/i.test(uri)) return parseFolder(uri);
  const shown = uri.slice(0, 100);
  if (!URL.canParse(uri) || /\s/.test(uri)) {
    throw malformed(`storage_uri is not an absolute URI such as nfs://server/path: ${JSON.stringify(shown)}`);
  }
  if (/^[^:]+:\/\/[^/?#]*@/.test(uri)) throw malformed("storage_uri must not hold a user name or a password");
  return undefined;
}

/** Unlike a file's, the URI of a folder may end with slashes; they count for its length. */
function parseFolder(uri: string): string | undefined {
  try {
    assertSourceLength(uri);
    const address = parseSourceAddress(withoutSlashesAtEnd(uri));
    return "path" in address ? address.path : undefined;
  } catch (error) {
    throw isSourceError(error) ? refuseSource(error) : error;
  }
}

/** Not by a pattern: one that looks for the end from every slash takes the square of their number. */
function withoutSlashesAtEnd(uri: string): string {
  let end = uri.length;
  while (uri[end - 1] === "/") end--;
  return uri.slice(0, end);
}

function malformed(text: string) {
  return invalidArgument("storage_uri_malformed", text);
}
