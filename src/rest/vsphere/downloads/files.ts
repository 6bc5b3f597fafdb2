import { assertPermission, type ItemFile, type Uploads } from "../../../core/index.js";
import type { VsphereCall } from "../call.js";
import { checksumInfoOf } from "../checksums.js";
import type { DataUrls } from "../data-urls.js";
import { type VapiError, vapiError } from "../errors.js";
import { findItemFile, listItemFiles, noSuchFile } from "../files-of-item.js";
import type { downloadFile } from "../operations/download-session.js";
import type { ValueOf } from "../schema.js";
import type { Service } from "../services.js";
import type { DownloadSession } from "./download-session.js";
import type { PreparedFile, PreparedFiles } from "./prepared-files.js";
import type { SessionStore } from "./session-store.js";
import type { Transfers } from "./transfers.js";

type DownloadFileInfo = ValueOf<(typeof downloadFile)["get"]["output"]>;

export function createDownloadFiles(deps: {
  readonly uploads: Pick<Uploads, "getItem" | "getItemFile" | "listItemFiles">;
  readonly sessions: SessionStore;
  readonly files: PreparedFiles;
  readonly transfers: Pick<Transfers, "sentBytesOf">;
  readonly dataUrls: Pick<DataUrls, "forDownload">;
}): Service<typeof downloadFile> {
  const { uploads, sessions, files, transfers, dataUrls } = deps;

  function infoOf(
    session: DownloadSession,
    file: ItemFile | undefined,
    prepared: PreparedFile | undefined,
    call: VsphereCall,
  ): DownloadFileInfo {
    const name = file?.name ?? prepared?.name ?? "";
    if (prepared === undefined) return { name, status: "UNPREPARED", bytes_transferred: 0, ...contentInfo(file) };
    const { contentId } = prepared;
    const sent = Math.max(prepared.sentBytes, transfers.sentBytesOf(session.id, contentId));
    if (file?.content.id !== contentId) {
      const error_message = goneFrom(name, file).messages[0];
      return { name, status: "ERROR", bytes_transferred: sent, error_message };
    }
    const uri = dataUrls.forDownload({ downloadSessionId: session.id, contentId, name }, call);
    return {
      name,
      status: "PREPARED",
      bytes_transferred: sent,
      ...contentInfo(file),
      download_endpoint: session.state === "ACTIVE" ? { uri } : undefined,
    };
  }
  return {
    /** The item's files as they are now, and those that were prepared and have gone since. */
    async list({ download_session_id }, call) {
      const session = await sessions.see(download_session_id, call);
      const prepared = new Map((await files.list(session.id, call)).map((file) => [file.name, file]));
      const infos: DownloadFileInfo[] = [];
      for (const file of await listItemFiles(uploads, session.itemId, call)) {
        infos.push(infoOf(session, file, prepared.get(file.name), call));
        prepared.delete(file.name);
      }
      return [...infos, ...[...prepared.values()].map((file) => infoOf(session, undefined, file, call))];
    },

    async prepare({ download_session_id, file_name, endpoint_type }, call) {
      const session = await sessions.seeActive(download_session_id, "prepare", call);
      const file = await findItemFile(uploads, { itemId: session.itemId, name: file_name }, call);
      if (file === undefined) throw noSuchFile(file_name);
      if (endpoint_type === "DIRECT") {
        assertPermission(call.caller, "read_storage");
        const text = "files are read by HTTPS here: there is no direct path to the storage";
        throw vapiError("unsupported", "direct_unsupported", text, [file_name]);
      }
      const wanted = { name: file.name, contentId: file.content.id, loginId: call.login?.id };
      return infoOf(session, file, await files.put(session.id, wanted, call), call);
    },

    async get({ download_session_id, file_name }, call) {
      const session = await sessions.see(download_session_id, call);
      const file = await findItemFile(uploads, { itemId: session.itemId, name: file_name }, call);
      const prepared = await files.renew(session.id, file_name, call);
      if (file === undefined && prepared === undefined) throw noSuchFile(file_name);
      return infoOf(session, file, prepared, call);
    },
  };
}

/** The content that a file was prepared with is the file's no more; `now` is what has its name, if anything. */
export function goneFrom(name: string, now: object | undefined): VapiError {
  const shown = name.slice(0, 80);
  const file = `file ${JSON.stringify(shown)}`;
  return now === undefined
    ? vapiError("not_found", "content_removed", `${file} was removed since its download was prepared`, [shown])
    : vapiError("not_found", "content_replaced", `${file} was replaced since its download was prepared`, [shown]);
}

function contentInfo(file: ItemFile | undefined): Pick<DownloadFileInfo, "size" | "checksum_info"> {
  return file === undefined ? {} : { size: file.content.sizeBytes, checksum_info: checksumInfoOf(file.content) };
}
