// The files of an update session: those that it changes, and those of its item that it leaves as they are.
import { type ItemFile, isUploadError, type Session, type SessionFile, type Uploads } from "../../../core/index.js";
import type { VsphereCall } from "../call.js";
import { checksumsFrom } from "../checksums.js";
import type { DataUrls } from "../data-urls.js";
import { sourceOf } from "../endpoint.js";
import { invalidArgument, type VapiError } from "../errors.js";
import { listAll } from "../list-all.js";
import { type ItemFileLister, listItemFiles } from "../list-item-files.js";
import type { sessionFile } from "../operations/session-file.js";
import type { Service } from "../services.js";
import { declarationAttributes, declarationOf } from "./attributes.js";
import { type SeenDeps, seeSession, whileActive } from "./seen.js";
import { type FileInfo, messageOf, wireFile, wireKeptFile } from "./wire.js";

export interface SessionFileDeps extends SeenDeps {
  readonly uploads: SeenDeps["uploads"] &
    ItemFileLister &
    Pick<Uploads, "addFile" | "findFile" | "listFiles" | "removeName" | "validateSession" | "getItemFile">;
  readonly dataUrls: Pick<DataUrls, "forUpload">;
  readonly probe: Service<typeof sessionFile>["probe"];
}

export function createSessionFiles(deps: SessionFileDeps): Service<typeof sessionFile> {
  const { uploads, dataUrls, probe } = deps;

  function infoOf(session: Session, file: SessionFile, call: VsphereCall): FileInfo {
    const url = session.state === "active" ? dataUrls.forUpload(file, declarationOf(file).number, call) : undefined;
    return wireFile(file, url);
  }

  /** The item's file, where the session leaves it as it is. */
  async function findKept(session: Session, name: string, call: VsphereCall): Promise<ItemFile | undefined> {
    if (session.itemId === undefined) return undefined;
    try {
      const file = await uploads.getItemFile({ itemId: session.itemId, name }, call);
      return isKept(session, file) ? file : undefined;
    } catch (error) {
      if (isUploadError(error, "not_found")) return undefined;
      throw error;
    }
  }

  async function listKept(session: Session, call: VsphereCall): Promise<readonly ItemFile[]> {
    const { itemId } = session;
    if (itemId === undefined) return [];
    try {
      const files = await listItemFiles(uploads, itemId, call);
      return files.filter((file) => isKept(session, file));
    } catch (error) {
      // The item went after the session was over.
      if (isUploadError(error, "not_found")) return [];
      throw error;
    }
  }

  return {
    async add({ update_session_id: sessionId, file_spec: spec }, call) {
      const { name, source_type: sourceType, source_endpoint: endpoint, size, checksum_info: checksum } = spec;
      if (sourceType === "PULL" && endpoint === undefined) {
        throw invalidArgument("source_endpoint_missing", "file_spec.source_endpoint is missing, which PULL needs", [
          "file_spec.source_endpoint",
        ]);
      }
      const isPull = sourceType === "PULL" && endpoint !== undefined;
      const { session, file } = await whileActive(deps, { operation: "add", sessionId, call }, () =>
        uploads.addFile(
          {
            sessionId,
            name,
            // Some clients say -1 where a source does not tell.
            sizeBytes: size === undefined || size < 0 ? undefined : size,
            checksums: checksumsFrom(checksum),
            onFailure: isPull ? "session" : "file",
            ...(isPull && { source: sourceOf(endpoint) }),
            attributes: declarationAttributes({ sourceType, number: randomNumber(), loginId: call.login?.id }),
            onExisting: "replace",
          },
          call,
        ),
      );
      return infoOf(session, file, call);
    },

    async get({ update_session_id: sessionId, file_name: name }, call) {
      const session = await seeSession(deps, sessionId, call);
      try {
        const { file } = await uploads.findFile({ sessionId, name }, call);
        return infoOf(session, file, call);
      } catch (error) {
        if (!isUploadError(error, "not_found") || error.details.reason !== "FILE_NOT_FOUND") throw error;
      }
      const kept = await findKept(session, name, call);
      if (kept === undefined) throw noSuchFile(name);
      return wireKeptFile(kept);
    },

    async list({ update_session_id: sessionId }, call) {
      const session = await seeSession(deps, sessionId, call);
      const changed = await listAll((page) => uploads.listFiles({ sessionId, page }, call));
      const names = new Set(changed.map(({ name }) => name));
      const kept = (await listKept(session, call)).filter(({ name }) => !names.has(name));
      return [...kept.map(wireKeptFile), ...changed.map((file) => infoOf(session, file, call))];
    },

    async remove({ update_session_id: sessionId, file_name: name }, call) {
      try {
        await whileActive(deps, { operation: "remove", sessionId, call }, () =>
          uploads.removeName({ sessionId, name }, call),
        );
      } catch (error) {
        if (isUploadError(error, "not_found") && error.details.reason === "FILE_NOT_FOUND") throw noSuchFile(name);
        throw error;
      }
    },

    async validate({ update_session_id: sessionId }, call) {
      const { missing, invalid } = await whileActive(deps, { operation: "validate", sessionId, call }, () =>
        uploads.validateSession({ sessionId }, call),
      );
      await seeSession(deps, sessionId, call);
      return {
        has_errors: missing.length + invalid.length > 0,
        missing_files: missing.map(({ name }) => name),
        invalid_files: invalid.map(({ name, failure }) => ({
          name,
          error_message: messageOf(failure ?? { reason: "interrupted", message: "its content is not whole" }),
        })),
      };
    },

    probe,
  };
}

/**
 * While a session is open nothing else changes its item; what came after its end is not of the item as the session knew
 * it.
 */
function isKept({ removals, endedAt }: Session, { name, modifiedAt }: ItemFile): boolean {
  return !removals.includes(name) && (endedAt === undefined || modifiedAt <= endedAt);
}

function noSuchFile(name: string): VapiError {
  const shown = name.slice(0, 80);
  return invalidArgument("file_not_found", `the session has no file ${JSON.stringify(shown)}`, [shown]);
}

function randomNumber(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
