import {
  type DialectRecord,
  endOfWeekAhead,
  type JsonValue,
  type RecordChange,
  type Uploads,
} from "../../../core/index.js";
import { tryChangeRecords } from "../../kit/index.js";
import type { VsphereCall } from "../call.js";

/** A file that somebody has a URL for. */
export interface PreparedFile {
  readonly name: string;
  /** The content that it was prepared with, which is the only one that the URL reads. */
  readonly contentId: string;
  /** How many bytes from its beginning were sent. */
  readonly sentBytes: number;
  /** Under which login: bytes that flow keep it alive. */
  readonly loginId: string | undefined;
}

interface FoundFile extends PreparedFile {
  readonly version: number;
  readonly expiresAt: Date | undefined;
}

/**
 * Files that download sessions have prepared, and nothing of the others: an item may have very many. Each is there for a
 * week after it was prepared or looked at, as its URL is.
 */
export interface PreparedFiles {
  /** By the content that it was prepared with. */
  findByContent(sessionId: string, contentId: string, call: VsphereCall): Promise<PreparedFile | undefined>;
  list(sessionId: string, call: VsphereCall): Promise<readonly PreparedFile[]>;
  /** Prepares a file, or does so again: what was sent counts on as long as it is the same content. */
  put(sessionId: string, file: Omit<PreparedFile, "sentBytes">, call: VsphereCall): Promise<PreparedFile>;
  /** Has the file for another week, if it does not have it. */
  renew(sessionId: string, name: string, call: VsphereCall): Promise<PreparedFile | undefined>;
  /** Takes down how far a file was sent; nothing when it has other content by now, or none. */
  noteSent(
    sessionId: string,
    of: Pick<PreparedFile, "name" | "contentId" | "sentBytes">,
    call: VsphereCall,
  ): Promise<void>;
  removeAll(sessionId: string, call: VsphereCall): Promise<void>;
}

const namespace = "vsphere.download-file";
const pageSize = 1_000;

export function createPreparedFiles(deps: {
  readonly uploads: Pick<Uploads, "findRecord" | "changeRecords" | "listRecords">;
  readonly now: () => Date;
}): PreparedFiles {
  const { uploads, now } = deps;
  const nameKey = (sessionId: string, name: string) => `${sessionId}/name/${name}`;
  const contentKey = (sessionId: string, contentId: string) => `${sessionId}/content/${contentId}`;
  const weekAhead = () => new Date(endOfWeekAhead(now()) * 1_000);

  async function find(sessionId: string, name: string, call: VsphereCall): Promise<FoundFile | undefined> {
    const record = await uploads.findRecord({ namespace, key: nameKey(sessionId, name) }, call);
    return record && { ...fileFromRecord(record), version: record.version, expiresAt: record.expiresAt };
  }
  async function store(sessionId: string, file: PreparedFile, expect: number, call: VsphereCall): Promise<boolean> {
    const { name, contentId } = file;
    const expiresAt = weekAhead();
    const value = { ...file, loginId: file.loginId ?? null } satisfies JsonValue;
    const changes: readonly RecordChange[] = [
      { namespace, key: nameKey(sessionId, name), value, expect, expiresAt },
      { namespace, key: contentKey(sessionId, contentId), value: { name }, expiresAt },
    ];
    return tryChangeRecords(uploads, changes, call);
  }
  /** Looks again as long as somebody comes in between. */
  async function change(
    sessionId: string,
    name: string,
    call: VsphereCall,
    to: (known: FoundFile | undefined) => PreparedFile | undefined,
  ): Promise<PreparedFile | undefined> {
    for (;;) {
      const known = await find(sessionId, name, call);
      const file = to(known);
      if (file === undefined) return known;
      if (await store(sessionId, plain(file), known?.version ?? 0, call)) return file;
    }
  }
  async function* pages(prefix: string, call: VsphereCall): AsyncGenerator<readonly DialectRecord[]> {
    let afterKey: string | undefined;
    for (;;) {
      const after = afterKey === undefined ? {} : { afterKey };
      const page = await uploads.listRecords({ namespace, prefix, limit: pageSize, ...after }, call);
      yield page;
      if (page.length < pageSize) return;
      afterKey = page.at(-1)!.key;
    }
  }
  const isFresh = ({ expiresAt }: FoundFile) => (expiresAt?.getTime() ?? 0) >= weekAhead().getTime();
  return {
    async findByContent(sessionId, contentId, call) {
      const record = await uploads.findRecord({ namespace, key: contentKey(sessionId, contentId) }, call);
      const file = record && (await find(sessionId, (record.value as { readonly name: string }).name, call));
      return file?.contentId === contentId ? file : undefined;
    },

    async list(sessionId, call) {
      const files: PreparedFile[] = [];
      for await (const page of pages(nameKey(sessionId, ""), call)) files.push(...page.map(fileFromRecord));
      return files;
    },

    async put(sessionId, file, call) {
      const put = await change(sessionId, file.name, call, (known) => {
        const same = known?.contentId === file.contentId;
        if (same && known.loginId === file.loginId && isFresh(known)) return undefined;
        return { ...file, sentBytes: same ? known.sentBytes : 0 };
      });
      return put!;
    },

    renew: (sessionId, name, call) =>
      change(sessionId, name, call, (known) => (known === undefined || isFresh(known) ? undefined : known)),

    async noteSent(sessionId, { name, contentId, sentBytes }, call) {
      await change(sessionId, name, call, (known) =>
        known?.contentId === contentId && known.sentBytes < sentBytes ? { ...known, sentBytes } : undefined,
      );
    },

    async removeAll(sessionId, call) {
      for await (const page of pages(`${sessionId}/`, call)) {
        const changes = page.map(({ key }) => ({ namespace, key, value: undefined }));
        await uploads.changeRecords({ changes }, call);
      }
    },
  };
}

function plain({ name, contentId, sentBytes, loginId }: PreparedFile): PreparedFile {
  return { name, contentId, sentBytes, loginId };
}

function fileFromRecord({ value }: DialectRecord): PreparedFile {
  // Nobody writes these values but the functions above.
  const stored = value as unknown as Omit<PreparedFile, "loginId"> & { readonly loginId: string | null };
  return { ...stored, loginId: stored.loginId ?? undefined };
}
