import { createId, isUploadError, type JsonValue, type Uploads } from "../../core/index.js";
import type { FolioCall } from "./call.js";
import { createJsonFilter } from "./cql/json-filter.js";
import { parseCql } from "./cql/parser.js";
import { defaultExtensions } from "./default-extensions.js";
import { FolioErrors, FolioRefusal } from "./errors.js";
import { type FileExtension, isSameExtension } from "./file-extension.js";
import type { ListWords } from "./list-words.js";
import type { ExtensionWords, UserInfo } from "./schema.js";

const place = { namespace: "folio", key: "fileExtensions" };

/** They are one record, which is read for every new definition. */
const maxExtensions = 1000;

/** Each that fails means that somebody else has succeeded meanwhile. */
const maxTries = 100;

export type Extensions = ReturnType<typeof createExtensions>;

/**
 * The file extensions of the caller's tenant: the defaults until they are changed for the first time. Changes at the
 * same time come out as if one had followed the other. Throws `FolioErrors` (422) and `FolioRefusal` (404).
 */
export function createExtensions(
  uploads: Pick<Uploads, "findRecord" | "changeRecords">,
  now: () => Date = () => new Date(),
) {
  async function load(call: FolioCall): Promise<{ readonly list: readonly FileExtension[]; readonly version: number }> {
    const record = await uploads.findRecord(place, call);
    if (record === undefined) return { list: defaultExtensions, version: 0 };
    return { list: record.value as unknown as readonly FileExtension[], version: record.version };
  }

  /** Stores what `decide` makes of the list; it is asked again when somebody else was faster. */
  async function change<Result>(
    decide: (list: readonly FileExtension[]) => { readonly next: readonly FileExtension[]; readonly result: Result },
    call: FolioCall,
  ): Promise<Result> {
    for (let tries = 1; ; tries++) {
      const { list, version } = await load(call);
      const { next, result } = decide(list);
      try {
        const value = next as unknown as JsonValue;
        await uploads.changeRecords({ changes: [{ ...place, value, expect: version }] }, call);
        return result;
      } catch (error) {
        const isLate = isUploadError(error, "conflict") && error.details.reason === "RECORD_CHANGED";
        if (!isLate || tries === maxTries) throw error;
      }
    }
  }

  return {
    /** Those that a query in CQL finds, or all, in its order; a part of them, and how many they are. */
    async find({ query, offset, limit }: ListWords, call: FolioCall) {
      const { list } = await load(call);
      const filter = query.trim() === "" ? undefined : createJsonFilter(parseCql(query));
      const found = filter === undefined ? list : filter.sort(list.filter(filter.matches));
      return { things: found.slice(offset, offset + limit), total: found.length };
    },

    list: async (_: object, call: FolioCall): Promise<readonly FileExtension[]> => (await load(call)).list,

    get: async (input: { readonly id: string }, call: FolioCall): Promise<FileExtension> =>
      getById((await load(call)).list, input.id),

    async create(input: { readonly words: ExtensionWords }, call: FolioCall): Promise<FileExtension> {
      const { words } = input;
      assertFormat(words);
      const written = writtenBy(call, now());
      const created: FileExtension = {
        ...saidBy(words, call),
        id: createId(),
        metadata: { createdDate: written.date, ...written.createdBy, updatedDate: written.date, ...written.updatedBy },
      };
      return change((list) => {
        assertFree(list, words.extension);
        if (list.length >= maxExtensions) throw refused(`A tenant has at most ${maxExtensions} file extensions`);
        return { next: [...list, created], result: created };
      }, call);
    },

    /** Puts everything anew, but the id, when it was created and by whom. */
    async update(
      input: { readonly id: string; readonly words: ExtensionWords },
      call: FolioCall,
    ): Promise<FileExtension> {
      const { words } = input;
      assertFormat(words);
      const written = writtenBy(call, now());
      return change((list) => {
        const old = getById(list, input.id);
        const others = list.filter((one) => one !== old);
        assertFree(others, words.extension);
        const { updatedByUserId: _, updatedByUsername: __, ...kept } = old.metadata;
        const metadata = { ...kept, updatedDate: written.date, ...written.updatedBy };
        const updated: FileExtension = { ...saidBy(words, call), id: old.id, metadata };
        return { next: list.map((one) => (one === old ? updated : one)), result: updated };
      }, call);
    },

    remove: (input: { readonly id: string }, call: FolioCall): Promise<void> =>
      change((list) => {
        const old = getById(list, input.id);
        return { next: list.filter((one) => one !== old), result: undefined };
      }, call),

    restoreDefaults: (_: object, call: FolioCall): Promise<readonly FileExtension[]> =>
      change(() => ({ next: defaultExtensions, result: defaultExtensions }), call),
  };
}

function getById(list: readonly FileExtension[], id: string): FileExtension {
  const found = list.find((one) => one.id === id.toLowerCase());
  if (found === undefined) throw new FolioRefusal(404, `FileExtension with id '${id}' was not found`);
  return found;
}

function assertFormat({ extension }: ExtensionWords): void {
  if (!/^\.\w+$/.test(extension)) throw refused(`File extension ${extension} is not a valid format`);
}

function assertFree(list: readonly FileExtension[], extension: string): void {
  if (list.some((one) => isSameExtension(one.extension, extension))) {
    throw refused(`File extension ${extension} already exists`);
  }
}

function refused(message: string): FolioErrors {
  return new FolioErrors([{ message, parameters: [] }], { tellsTotal: true });
}

/** What a client may say of an extension. */
function saidBy({ id: _, userInfo: sent, ...words }: ExtensionWords, { user }: FolioCall) {
  const dataTypes = [...new Set(words.dataTypes)].sort();
  return { ...words, dataTypes, ...(user && { userInfo: nameUser(user.name, sent) }) };
}

/** Whoever changes it; what was sent about them is kept, and what was sent about others is not. */
function nameUser(userName: string, sent: UserInfo | undefined): UserInfo {
  return sent?.userName === userName ? sent : { userName };
}

function writtenBy({ user }: FolioCall, at: Date) {
  return {
    date: at.toISOString(),
    createdBy: user && { createdByUserId: user.id },
    updatedBy: user && { updatedByUserId: user.id },
  };
}
