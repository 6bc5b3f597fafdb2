import {
  type Item,
  type ItemField,
  isId,
  isUploadError,
  type Library,
  type Predicate,
  type Uploads,
} from "../../../core/index.js";
import type { VsphereCall } from "../call.js";
import { idOfCreated, parseClientToken } from "../client-token.js";
import { invalidArgument, vapiError } from "../errors.js";
import { listIds } from "../list-whole.js";
import type { VsphereServices } from "../services.js";
import { parseVersion, unlessInUse } from "./changes.js";
import { itemIdFrom, libraryIdFrom } from "./ids.js";
import { createItemFiles } from "./item-files.js";
import { assertType } from "./words.js";

type ItemServices = Pick<VsphereServices, "items" | "itemFiles" | "itemStorages">;

/** Items of libraries, their files, and where those are stored. */
export function createItems(deps: {
  readonly uploads: Pick<
    Uploads,
    | "getLibrary"
    | "createItem"
    | "copyItem"
    | "getItem"
    | "measureItem"
    | "listItems"
    | "updateItem"
    | "deleteItem"
    | "listItemFiles"
    | "getItemFile"
  >;
}): ItemServices {
  const { uploads } = deps;

  /** Throws `not_found`, and `invalid_element_type`: what is in a subscribed library is for its source to change. */
  async function getLocalLibrary(id: string, call: VsphereCall): Promise<Library> {
    const library = await uploads.getLibrary({ libraryId: libraryIdFrom(id) }, call);
    assertType(library, "LOCAL");
    return library;
  }
  async function getLocalItem(id: string, call: VsphereCall): Promise<{ item: Item; library: Library }> {
    const item = await uploads.getItem({ itemId: itemIdFrom(id) }, call);
    return { item, library: await getLocalLibrary(item.libraryId, call) };
  }

  return {
    items: {
      async create({ client_token, create_spec: spec }, call) {
        const clientToken = parseClientToken(client_token);
        const name = parseItemName(spec.name);
        const library = await getLocalLibrary(spec.library_id, call);
        const { description, type } = spec;
        const asked = { libraryId: library.id, name, description, type, clientToken };
        return idOfCreated(unlessTaken(name, library, uploads.createItem(asked, call)));
      },
      async copy({ source_library_item_id, client_token, destination_create_spec: spec }, call) {
        const clientToken = parseClientToken(client_token);
        const name = parseItemName(spec.name);
        const sourceItemId = itemIdFrom(source_library_item_id);
        const library = await getLocalLibrary(spec.library_id, call);
        const { description, type } = spec;
        const asked = { sourceItemId, libraryId: library.id, name, description, type, clientToken };
        return idOfCreated(unlessTaken(name, library, uploads.copyItem(asked, call)));
      },
      async get({ library_item_id }, call) {
        const itemId = itemIdFrom(library_item_id);
        const item = await uploads.getItem({ itemId }, call);
        const { sizeBytes } = await uploads.measureItem({ itemId }, call);
        return modelOf(item, sizeBytes);
      },
      async list({ library_id }, call) {
        const { id } = await uploads.getLibrary({ libraryId: libraryIdFrom(library_id) }, call);
        const where: Predicate<ItemField> = { field: "libraryId", is: "eq", value: id };
        return listIds((page) => uploads.listItems({ where, page }, call), call);
      },
      async find({ spec }, call) {
        const where = conditionsOf(spec);
        return listIds((page) => uploads.listItems({ where, page }, call), call);
      },
      async update({ library_item_id, update_spec: spec }, call) {
        const { item, library } = await getLocalItem(library_item_id, call);
        const { description, type } = spec;
        const name = spec.name === undefined ? undefined : parseItemName(spec.name);
        const expectedVersion = parseVersion(spec.version);
        const asked = { itemId: item.id, name, description, type, expectedVersion };
        await unlessTaken(name ?? item.name, library, uploads.updateItem(asked, call));
      },
      async delete({ library_item_id }, call) {
        const { item } = await getLocalItem(library_item_id, call);
        await unlessInUse(uploads.deleteItem({ itemId: item.id }, call));
      },
    },
    ...createItemFiles({ uploads }),
  };
}

const mostNameLength = 80;

/** The API's own limit, in characters; whatever else a name may not be the core says. */
function parseItemName(name: string): string {
  const length = [...name].length;
  if (length <= mostNameLength) return name;
  const text = `an item's name has at most ${mostNameLength} characters, not ${length}`;
  throw invalidArgument("item_name_too_long", text, [String(length)]);
}

/** Says which item of which library is in the way, in the words of the API's own message. */
async function unlessTaken<T>(name: string, library: Library, deed: Promise<T>): Promise<T> {
  try {
    return await deed;
  } catch (error) {
    if (!isUploadError(error, "already_exists")) throw error;
    const text = `library ${JSON.stringify(library.name)} (${library.id}) has another item ${JSON.stringify(name)}`;
    const id = "com.vmware.vdcs.cls-main.duplicate_item_name_unsupported_in_library";
    throw vapiError("already_exists", id, text, [name, library.name, library.id]);
  }
}

/** Nothing here has a source elsewhere, and all content is here: cached is what every item is. */
function conditionsOf(spec: {
  readonly name?: string | undefined;
  readonly library_id?: string | undefined;
  readonly type?: string | undefined;
  readonly source_id?: string | undefined;
  readonly cached?: boolean | undefined;
}): Predicate<ItemField> {
  const { name, library_id, type, source_id, cached } = spec;
  const conditions: Predicate<ItemField>[] = [];
  if (name !== undefined) conditions.push({ field: "name", is: "same", value: name });
  if (type !== undefined) conditions.push({ field: "type", is: "same", value: type });
  if (library_id !== undefined) {
    const value = library_id.toLowerCase();
    conditions.push(isId(value) ? { field: "libraryId", is: "eq", value } : nothing);
  }
  if (source_id !== undefined) conditions.push(nothing);
  if (cached !== undefined) conditions.push(cached ? { all: [] } : nothing);
  if (conditions.length > 0) return { all: conditions };
  throw invalidArgument(
    "find_spec_empty",
    "spec says nothing to find items by: a name, a library_id, a type, a source_id or cached",
  );
}

const nothing: Predicate<ItemField> = { any: [] };

function modelOf(item: Item, sizeBytes: number) {
  const version = String(item.version);
  return {
    id: item.id,
    library_id: item.libraryId,
    name: item.name,
    description: item.description,
    type: item.type,
    content_version: String(item.contentVersion),
    metadata_version: version,
    version,
    cached: true,
    size: sizeBytes,
    creation_time: item.createdAt,
    last_modified_time: item.modifiedAt,
  };
}
