import type { ServiceImpl } from "@connectrpc/connect";
import type { CatalogService } from "../../gen/slipway/upload/v1/catalog_service_pb.js";
import { type ItemField, type LibraryField, type Predicate, parseId, type Uploads } from "../core/index.js";
import { callOf } from "./caller.js";
import { formatItem, formatItemFile, formatLibrary } from "./catalog-messages.js";
import { numberFrom, optionalNumberFrom } from "./numbers.js";

export function createCatalogService(uploads: Uploads): ServiceImpl<typeof CatalogService> {
  return {
    async createLibrary(request, context) {
      return { library: formatLibrary(await uploads.createLibrary(request, callOf(context))) };
    },

    async getLibrary(request, context) {
      return { library: formatLibrary(await uploads.getLibrary(request, callOf(context))) };
    },

    async listLibraries({ pageSize, pageToken, name }, context) {
      const where = whereEqual<LibraryField>({ name });
      const page = { size: pageSize, cursor: pageToken };
      const { things, nextCursor } = await uploads.listLibraries({ where, page }, callOf(context));
      return { libraries: things.map(formatLibrary), nextPageToken: nextCursor ?? "" };
    },

    async updateLibrary(request, context) {
      const expectedVersion = optionalNumberFrom(request.expectedVersion, "expected version");
      const library = await uploads.updateLibrary({ ...request, expectedVersion }, callOf(context));
      return { library: formatLibrary(library) };
    },

    async deleteLibrary(request, context) {
      await uploads.deleteLibrary(request, callOf(context));
      return {};
    },

    async createItem(request, context) {
      return { item: formatItem(await uploads.createItem(request, callOf(context))) };
    },

    async getItem(request, context) {
      return { item: formatItem(await uploads.getItem(request, callOf(context))) };
    },

    async findItem({ alias = { kind: "", value: "" } }, context) {
      return { item: formatItem(await uploads.getItemByAlias(alias, callOf(context))) };
    },

    async listItems({ pageSize, pageToken, name, type, ...request }, context) {
      const libraryId = request.libraryId === undefined ? undefined : parseId(request.libraryId, "library id");
      const where = whereEqual<ItemField>({ libraryId, name, type });
      const page = { size: pageSize, cursor: pageToken };
      const { things, nextCursor } = await uploads.listItems({ where, page }, callOf(context));
      return { items: things.map(formatItem), nextPageToken: nextCursor ?? "" };
    },

    async updateItem(request, context) {
      const aliases = request.aliases?.aliases;
      const expectedVersion = optionalNumberFrom(request.expectedVersion, "expected version");
      const item = await uploads.updateItem({ ...request, aliases, expectedVersion }, callOf(context));
      return { item: formatItem(item) };
    },

    async deleteItem(request, context) {
      await uploads.deleteItem(request, callOf(context));
      return {};
    },

    async listItemFiles({ itemId, pageSize, pageToken }, context) {
      const page = { size: pageSize, cursor: pageToken };
      const { things, nextCursor } = await uploads.listItemFiles({ itemId, page }, callOf(context));
      return { files: things.map(formatItemFile), nextPageToken: nextCursor ?? "" };
    },

    async *readItemFile(request, context) {
      const { itemId, name } = request;
      const offset = numberFrom(request.offset, "offset");
      const limit = optionalNumberFrom(request.limit, "limit");
      const { file, body } = await uploads.readItemFile({ itemId, name, offset, limit }, callOf(context));
      yield { file: formatItemFile(file) };
      for await (const data of body) yield { data: data as Uint8Array<ArrayBuffer> };
    },
  };
}

/** That each of these fields, if it is set, has exactly this value. */
function whereEqual<Field extends string>(values: Partial<Record<Field, string | undefined>>): Predicate<Field> {
  const entries = Object.entries(values) as [Field, string | undefined][];
  return {
    all: entries.flatMap(([field, value]) => (value === undefined ? [] : [{ field, is: "eq" as const, value }])),
  };
}
