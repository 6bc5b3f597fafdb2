// Queries of the libraries table.
import type { Knex } from "knex";
import {
  type CatalogStore,
  type CreationToken,
  type Library,
  type LibraryField,
  libraryNotFound,
  type Page,
  type PageQuery,
  type Predicate,
  pageOf,
  UploadError,
} from "../../core/index.js";
import { type LibraryRow, libraryFromRow, rowFromLibrary } from "./catalog-rows.js";
import { createOnce } from "./client-tokens.js";
import { isUniqueViolation } from "./errors.js";
import { type FieldTable, selectPage } from "./predicate.js";
import { lockRow, readNow } from "./transaction.js";

const fields: FieldTable<LibraryField> = {
  id: { column: "id", kind: "id" },
  name: { column: "name", kind: "text" },
  createdAt: { column: "created_at", kind: "time" },
  modifiedAt: { column: "modified_at", kind: "time" },
};

export async function createLibrary(
  trx: Knex.Transaction,
  input: Parameters<CatalogStore["createLibrary"]>[0],
  once: CreationToken | undefined,
): Promise<Library> {
  const { tenantId } = input;
  return createOnce(
    trx,
    once && { tenantId, ...once },
    async () => {
      const now = await readNow(trx);
      const library: Library = { ...input, createdAt: now, modifiedAt: now };
      await namedOnce(`library ${JSON.stringify(library.name)}`, trx("libraries").insert(rowFromLibrary(library)));
      return library;
    },
    (id) => getLibrary(trx, tenantId, id),
  );
}

export async function getLibrary(db: Knex, tenantId: string, id: string): Promise<Library> {
  const row: LibraryRow | undefined = await db("libraries").where({ id, tenant_id: tenantId }).first();
  if (row === undefined) throw libraryNotFound(id);
  return libraryFromRow(row);
}

export async function listLibraries(
  db: Knex,
  tenantId: string,
  predicate: Predicate<LibraryField>,
  page: PageQuery,
): Promise<Page<Library>> {
  const rows: LibraryRow[] = await selectPage(db, "libraries", { tenantId, predicate, fields, page });
  return pageOf(rows.map(libraryFromRow), page.limit);
}

export async function updateLibrary(
  trx: Knex.Transaction,
  tenantId: string,
  id: string,
  change: (library: Library, now: Date) => Library,
): Promise<Library> {
  const query = "select * from libraries where id = ? and tenant_id = ? for no key update";
  const row = await lockRow<LibraryRow>(trx, query, [id, tenantId]);
  if (row === undefined) throw libraryNotFound(id);
  const before = libraryFromRow(row);
  const after: Library = { ...change(before, row.now), id, tenantId, createdAt: before.createdAt };
  const update = trx("libraries").where({ id }).update(rowFromLibrary(after));
  await namedOnce(`library ${JSON.stringify(after.name)}`, update);
  return after;
}

/** Keeps the library from being deleted until the transaction ends. Throws `not_found`. */
export async function holdLibrary(trx: Knex.Transaction, tenantId: string, id: string): Promise<void> {
  const row = await trx("libraries").where({ id, tenant_id: tenantId }).forKeyShare().first("id");
  if (row === undefined) throw libraryNotFound(id);
}

/** Awaits a write and answers a name or alias that is taken with `already_exists` (NAME_TAKEN). */
export async function namedOnce<T>(what: string, write: PromiseLike<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new UploadError("already_exists", `there is another ${what}`, { reason: "NAME_TAKEN" }, error);
  }
}
