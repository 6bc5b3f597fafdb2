// Entities by every kind of id that clients know them by.
import { type Alias, isId, isUploadError, type Item, type Library, type Uploads } from "../../../core/index.js";
import type { ImisCall } from "../call.js";
import { ImisError } from "../errors.js";

export type EntityId =
  | { readonly kind: "internal"; readonly itemId: string }
  | { readonly kind: "alias"; readonly alias: Alias };

/** Another name of an item, and whether it comes as the Base64 form of its UTF-8. */
const aliasKinds: Readonly<Record<string, readonly [kind: string, form: "plain" | "base64"]>> = {
  E: ["external_id", "plain"],
  e: ["external_id", "base64"],
  C: ["classification_code", "plain"],
  c: ["classification_code", "base64"],
};

/** `{id}`, or a kind and an id: `I:`, `E:`, `C:`, `e:`, `c:`. Throws `request_invalid`. */
export function parseEntityId(text: string): EntityId {
  const [, kind = "I", id = ""] = /^(?:([^:]*):)?(.*)$/s.exec(text) ?? [];
  if (id === "") throw new ImisError("request_invalid", `${shown(text)} names no entity: its id is empty`);
  if (kind === "I") return { kind: "internal", itemId: id.toLowerCase() };
  const known = Object.hasOwn(aliasKinds, kind) ? aliasKinds[kind] : undefined;
  if (known === undefined) {
    const kinds = ["I", ...Object.keys(aliasKinds)].join(", ");
    throw new ImisError("request_invalid", `${shown(text)} has the kind ${shown(kind)}, which is none of ${kinds}`);
  }
  const [aliasKind, form] = known;
  return { kind: "alias", alias: { kind: aliasKind, value: form === "plain" ? id : decodeBase64(id) } };
}

/** The item of this archive with this id. Throws `entity_not_found`, `request_invalid`. */
export async function findEntity(
  uploads: Pick<Uploads, "getItem" | "findItemByAlias">,
  { library, entity }: { readonly library: Library; readonly entity: string },
  call: ImisCall,
): Promise<Item> {
  const item = await findItem(uploads, parseEntityId(entity), call);
  if (item?.libraryId === library.id) return item;
  throw new ImisError("entity_not_found", `there is no entity ${shown(entity)} in the archive ${shown(library.name)}`);
}

async function findItem(
  uploads: Pick<Uploads, "getItem" | "findItemByAlias">,
  id: EntityId,
  call: ImisCall,
): Promise<Item | undefined> {
  if (id.kind === "alias") return uploads.findItemByAlias(id.alias, call);
  if (!isId(id.itemId)) return undefined;
  return uploads.getItem({ itemId: id.itemId }, call).catch((error: unknown) => {
    if (isUploadError(error, "not_found")) return undefined;
    throw error;
  });
}

/** Either alphabet, with its padding or without. */
function decodeBase64(text: string): string {
  try {
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) throw new TypeError("it has other characters");
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (byte) => byte.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ImisError("request_invalid", `${shown(text)} is not the Base64 form of a text in UTF-8`);
  }
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
