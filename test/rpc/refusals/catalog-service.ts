import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { TestClient } from "../../support/client.js";
import { addStranger, as, listItemFiles, makeItem, makeLibrary, publish, startSession, storeFile } from "../scene.js";
import {
  alias,
  type Expecting,
  type Fields,
  type ItemFields,
  unique,
  wrongFields,
  wrongItemFields,
  wrongVersions,
} from "./catalog-fields.js";
import { bytes, nobody, type RefusalRow, rowsOf } from "./row.js";

type Catalog = TestClient["catalog"];

const invalidName = "INVALID_ARGUMENT / NAME_INVALID";
const invalidText = "INVALID_ARGUMENT / TEXT_INVALID";
const invalidNumber = "INVALID_ARGUMENT / NUMBER_INVALID";
const invalidPage = "INVALID_ARGUMENT / PAGE_INVALID";
const nameTaken = "ALREADY_EXISTS / NAME_TAKEN";
const noLibrary = "NOT_FOUND / LIBRARY_NOT_FOUND";
const noItem = "NOT_FOUND / ITEM_NOT_FOUND";

/** The call needs no scene. */
const plainly = (call: (catalog: Catalog) => Promise<unknown>): RefusalRow["provoke"] => {
  return async ({ catalog }) =>
    () =>
      call(catalog);
};

const createLibrary = (fields: Fields & { backingFolder?: string }) =>
  plainly((catalog) => catalog.createLibrary({ name: unique("library"), ...fields }));

/** The library stays as it was. */
const updateLibrary = (fields: Fields & Expecting): RefusalRow["provoke"] => {
  return async (client) => {
    const libraryId = await makeLibrary(client);
    const before = await client.catalog.getLibrary({ libraryId });
    return {
      call: () => client.catalog.updateLibrary({ libraryId, description: "changed", ...fields }),
      after: async () => expect(await client.catalog.getLibrary({ libraryId })).toEqual(before),
    };
  };
};

/** The library gets no item. */
const createItem = (fields: ItemFields): RefusalRow["provoke"] => {
  return async (client) => {
    const libraryId = await makeLibrary(client);
    return {
      call: () => client.catalog.createItem({ name: "item", ...fields, libraryId }),
      after: async () => expect((await client.catalog.listItems({ libraryId })).items).toEqual([]),
    };
  };
};

/** The item stays as it was, its aliases included. */
async function refusedUpdate(client: TestClient, itemId: string, { aliases, ...fields }: ItemFields & Expecting) {
  const list = aliases === undefined ? {} : { aliases: { aliases } };
  const before = await client.catalog.getItem({ itemId });
  return {
    call: () => client.catalog.updateItem({ itemId, description: "changed", ...fields, ...list }),
    after: async () => expect(await client.catalog.getItem({ itemId })).toEqual(before),
  };
}
const updateItem = (fields: ItemFields & Expecting): RefusalRow["provoke"] => {
  return async (client) => refusedUpdate(client, (await makeItem(client, { aliases: [alias(), alias()] })).id, fields);
};

const find = (wanted: Parameters<Catalog["findItem"]>[0]["alias"]) =>
  plainly((catalog) => catalog.findItem(wanted === undefined ? {} : { alias: wanted }));

const listFiles = (request: { pageSize?: number; pageToken?: string }): RefusalRow["provoke"] => {
  return async (client) => {
    const { id: itemId } = await makeItem(client);
    return () => client.catalog.listItemFiles({ itemId, ...request });
  };
};

/** Reads from an item with one file of ten bytes. */
const read = (request: { name?: string; offset?: bigint; limit?: bigint }): RefusalRow["provoke"] => {
  return async (client) => {
    const { id: itemId } = await makeItem(client);
    await publish(client, itemId, { "a.bin": bytes(10) });
    return async () => {
      for await (const _ of client.catalog.readItemFile({ itemId, name: "a.bin", ...request }));
    };
  };
};

const ofNoItem = (rpc: string, call: (catalog: Catalog, itemId: string) => Promise<unknown>): RefusalRow[] =>
  rowsOf(
    rpc,
    [noItem, "an item that is not there", plainly((catalog) => call(catalog, nobody))],
    [
      noItem,
      "an item that was deleted",
      async (client) => {
        const { id: itemId } = await makeItem(client);
        await client.catalog.deleteItem({ itemId });
        return () => call(client.catalog, itemId);
      },
    ],
  );
const ofNoLibrary = (rpc: string, call: (catalog: Catalog, libraryId: string) => Promise<unknown>): RefusalRow[] =>
  rowsOf(
    rpc,
    [noLibrary, "a library that is not there", plainly((catalog) => call(catalog, nobody))],
    [
      noLibrary,
      "a library that was deleted",
      async (client) => {
        const libraryId = await makeLibrary(client);
        await client.catalog.deleteLibrary({ libraryId });
        return () => call(client.catalog, libraryId);
      },
    ],
  );

export const catalogRefusals: readonly RefusalRow[] = [
  ...rowsOf(
    "CreateLibrary",
    ...wrongFields.map(([line, when, fields]) => [line, when, createLibrary(fields)] as const),
    ...["images", "/", "/srv/../etc", "/srv//a", "/srv/", "/srv/./a", "/srv/\0", `/${"x".repeat(4096)}`].map(
      (backingFolder) =>
        [invalidText, `the backing folder ${backingFolder.slice(0, 20)}`, createLibrary({ backingFolder })] as const,
    ),
    [
      "PERMISSION_DENIED / PERMISSION_MISSING",
      "a backing folder, asked for by an administrator of another tenant",
      async (client) => {
        const stranger = await addStranger(client);
        const request = { name: unique("library"), backingFolder: "/srv/images" };
        return () => client.catalog.createLibrary(request, as(stranger));
      },
    ],
    [
      nameTaken,
      "a name that the tenant has",
      async ({ catalog }) => {
        const name = unique("library");
        await catalog.createLibrary({ name });
        return () => catalog.createLibrary({ name });
      },
    ],
  ),
  ...ofNoLibrary("GetLibrary", (catalog, libraryId) => catalog.getLibrary({ libraryId })),
  ...rowsOf(
    "ListLibraries",
    [invalidPage, "a negative page size", plainly((catalog) => catalog.listLibraries({ pageSize: -1 }))],
    [invalidPage, "a token of nobody's", plainly((catalog) => catalog.listLibraries({ pageToken: "bm9ib2R5" }))],
  ),
  ...ofNoLibrary("UpdateLibrary", (catalog, libraryId) => catalog.updateLibrary({ libraryId, description: "" })),
  ...rowsOf(
    "UpdateLibrary",
    ...wrongFields.map(([line, when, fields]) => [line, when, updateLibrary(fields)] as const),
    ...wrongVersions.map(([when, version]) => {
      return [invalidNumber, when, updateLibrary({ expectedVersion: version })] as const;
    }),
    ["ALREADY_EXISTS / VERSION_CHANGED", "another version than it has", updateLibrary({ expectedVersion: 2n })],
    [
      nameTaken,
      "another library's name",
      async (client) => {
        const name = unique("library");
        await client.catalog.createLibrary({ name });
        return updateLibrary({ name })(client);
      },
    ],
  ),
  ...ofNoLibrary("DeleteLibrary", (catalog, libraryId) => catalog.deleteLibrary({ libraryId })),
  ...rowsOf("DeleteLibrary", [
    "FAILED_PRECONDITION / ITEM_BUSY",
    "a library with an item",
    async (client) => {
      const { id: itemId, libraryId } = await makeItem(client);
      return {
        call: () => client.catalog.deleteLibrary({ libraryId }),
        after: async () => expect((await client.catalog.getItem({ itemId })).item?.libraryId).toBe(libraryId),
      };
    },
  ]),
  ...ofNoLibrary("CreateItem", (catalog, libraryId) => catalog.createItem({ libraryId, name: "item" })),
  ...rowsOf(
    "CreateItem",
    ...wrongItemFields.map(([line, when, fields]) => [line, when, createItem(fields)] as const),
    [
      nameTaken,
      "a name that the library has",
      async (client) => {
        const { libraryId, name } = await makeItem(client);
        return () => client.catalog.createItem({ libraryId, name });
      },
    ],
    [
      nameTaken,
      "an alias that another item of the tenant has",
      async (client) => {
        const taken = alias();
        await makeItem(client, { aliases: [taken] });
        return createItem({ aliases: [alias(), taken] })(client);
      },
    ],
  ),
  ...ofNoItem("GetItem", (catalog, itemId) => catalog.getItem({ itemId })),
  ...rowsOf(
    "FindItem",
    [invalidName, "no alias", find(undefined)],
    [invalidName, "an alias without a kind", find({ kind: "", value: "a" })],
    [invalidName, "an alias whose kind has a slash", find({ kind: "a/b", value: "a" })],
    [invalidText, "an alias of 256 characters", find({ kind: "k", value: "x".repeat(256) })],
    [invalidText, "an alias with a NUL", find({ kind: "k", value: "\0" })],
    [noItem, "an alias that no item has", find(alias())],
  ),
  ...rowsOf(
    "ListItems",
    [invalidPage, "a negative page size", plainly((catalog) => catalog.listItems({ pageSize: -1 }))],
    [invalidPage, "a token of nobody's", plainly((catalog) => catalog.listItems({ pageToken: "bm9ib2R5" }))],
  ),
  ...ofNoItem("UpdateItem", (catalog, itemId) => catalog.updateItem({ itemId, description: "" })),
  ...rowsOf(
    "UpdateItem",
    ...wrongItemFields.map(([line, when, fields]) => [line, when, updateItem(fields)] as const),
    ...wrongVersions.map(([when, version]) => {
      return [invalidNumber, when, updateItem({ expectedVersion: version })] as const;
    }),
    [
      "ALREADY_EXISTS / VERSION_CHANGED",
      "another version than it has",
      updateItem({ expectedVersion: 2n, name: "changed", aliases: [] }),
    ],
    [
      nameTaken,
      "the name of another item of the library",
      async (client) => {
        const { libraryId } = await makeItem(client, { name: "taken" });
        const { id } = await makeItem(client, { libraryId, name: "mine" });
        return refusedUpdate(client, id, { name: "taken" });
      },
    ],
    [
      nameTaken,
      "an alias that another item of the tenant has, and free ones",
      async (client) => {
        const taken = alias();
        await makeItem(client, { aliases: [taken] });
        return updateItem({ name: "changed", aliases: [alias(), taken] })(client);
      },
    ],
  ),
  ...ofNoItem("DeleteItem", (catalog, itemId) => catalog.deleteItem({ itemId })),
  ...rowsOf("DeleteItem", [
    "FAILED_PRECONDITION / ITEM_BUSY",
    "an item that a session is open on",
    async (client) => {
      const { id: itemId } = await makeItem(client);
      const { id: sessionId } = await startSession(client, { itemId });
      await storeFile(client, bytes(10), { name: "a.bin" }, sessionId);
      return {
        call: () => client.catalog.deleteItem({ itemId }),
        async after() {
          await client.sessions.completeSession({ sessionId });
          expect(await listItemFiles(client, itemId)).toHaveLength(1);
        },
      };
    },
  ]),
  ...rowsOf("CompleteSession", [
    "FAILED_PRECONDITION / SESSION_EXPIRED",
    "a session whose item went when its deadline had passed",
    async (client) => {
      const { id: itemId } = await makeItem(client);
      const { id: sessionId } = await startSession(client, { itemId, idleTtl: { nanos: 1_000_000 } });
      await sleep(20);
      await client.catalog.deleteItem({ itemId });
      return () => client.sessions.completeSession({ sessionId });
    },
  ]),
  ...ofNoItem("ListItemFiles", (catalog, itemId) => catalog.listItemFiles({ itemId })),
  ...rowsOf(
    "ListItemFiles",
    [invalidPage, "a negative page size", listFiles({ pageSize: -1 })],
    [invalidPage, "a token of nobody's", listFiles({ pageToken: "bm9ib2R5" })],
    [
      invalidPage,
      "a token of another list",
      async (client) => {
        const { id: itemId, libraryId } = await makeItem(client);
        await makeItem(client, { libraryId, name: "another" });
        const { nextPageToken } = await client.catalog.listItems({ libraryId, pageSize: 1 });
        expect(nextPageToken).not.toBe("");
        return () => client.catalog.listItemFiles({ itemId, pageToken: nextPageToken });
      },
    ],
  ),
  ...ofNoItem("ReadItemFile", async (catalog, itemId) => {
    for await (const _ of catalog.readItemFile({ itemId, name: "a.bin" }));
  }),
  ...rowsOf(
    "ReadItemFile",
    [invalidName, "an empty name", read({ name: "" })],
    [invalidName, "a name with a NUL", read({ name: "\0" })],
    [invalidNumber, "a negative offset", read({ offset: -1n })],
    [invalidNumber, "an offset of 2^53", read({ offset: 2n ** 53n })],
    [invalidNumber, "a negative limit", read({ limit: -1n })],
    [invalidNumber, "a limit of 2^53", read({ limit: 2n ** 53n })],
    ["NOT_FOUND / FILE_NOT_FOUND", "a file that the item has not", read({ name: "b.bin" })],
    ["OUT_OF_RANGE / OFFSET_UNEXPECTED", "an offset past the end", read({ offset: 11n }), { expectedOffset: 10 }],
  ),
];
