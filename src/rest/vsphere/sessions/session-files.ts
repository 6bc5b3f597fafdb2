// The files of an update session: those that it changes, and those of its item that it leaves as they are.
import { type ItemFile, isUploadError, type Session, type SessionFile, type Uploads } from "../../../core/index.js";
import type { VsphereCall } from "../call.js";
import { checksumsFrom } from "../checksums.js";
import type { DataUrls } from "../data-urls.js";
import { sourceOf } from "../endpoint.js";
import { invalidArgument } from "../errors.js";
import { findItemFile, listItemFiles, noSuchFile } from "../files-of-item.js";
import { listWhole } from "../list-whole.js";
import type { sessionFile } from "../operations/session-file.js";
import type { Service } from "../services.js";
import { declarationAttributes, declarationOf } from "./attributes.js";
import { type SeenDeps, seeSession, whileActive } from "./see-session.js";
import { type FileInfo, messageOf, wireFile, wireKeptFile } from "./wire.js";

export interface SessionFileDeps extends SeenDeps {
  readonly uploads: SeenDeps["uploads"] &
    Pick<
      Uploads,
      | "addFile"
      | "findFile"
      | "listFiles"
      | "removeName"
      | "validateSession"
      | "getItem"
      | "listItemFiles"
      | "getItemFile"
    >;
  readonly dataUrls: Pick<DataUrls, "forUpload">;
  readonly probe: Service<typeof sessionFile>["probe"];
}

export function createSessionFiles(deps: SessionFileDeps): Service<typeof sessionFile> {
  const { uploads, dataUrls, probe } = deps;

  const infoOf = (file: SessionFile, call: VsphereCall): FileInfo =>
    wireFile(file, dataUrls.forUpload(file, declarationOf(file).number, call));

  /** The item's file, where the session leaves it as it is. */
  async function findKept(session: Session, name: string, call: VsphereCall): Promise<ItemFile | undefined> {
    const { itemId } = session;
    const file = itemId === undefined ? undefined : await findItemFile(uploads, { itemId, name }, call);
    return file && isKept(session, file) ? file : undefined;
  }

  async function listKept(session: Session, call: VsphereCall): Promise<readonly ItemFile[]> {
    const { itemId } = session;
    const files = itemId === undefined ? [] : await listItemFiles(uploads, itemId, call);
    return files.filter((file) => isKept(session, file));
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
      const { file } = await whileActive(deps, { operation: "add", sessionId, call }, () =>
        uploads.addFile(
          {
            sessionId,
            name,
            // Some clients say -1 where a source does not tell.
            sizeBytes: size === undefined || size < 0 ? undefined : size,
            // Nothing is to come of NONE that could be checked.
            checksums: sourceType === "NONE" ? [] : checksumsFrom(checksum),
            onFailure: isPull ? "session" : "file",
            ...(isPull && { source: sourceOf(endpoint) }),
            attributes: declarationAttributes({
              sourceType,
              number: randomNumber(),
              loginId: call.login?.id,
              checksum,
            }),
            onExisting: "replace",
          },
          call,
        ),
      );
      return infoOf(file, call);
    },

    async get({ update_session_id: sessionId, file_name: name }, call) {
      const session = await seeSession(deps, sessionId, call);
      try {
        const { file } = await uploads.findFile({ sessionId, name }, call);
        return infoOf(file, call);
      } catch (error) {
        if (!isUploadError(error, "not_found") || error.details.reason !== "FILE_NOT_FOUND") throw error;
      }
      const kept = await findKept(session, name, call);
      if (kept === undefined) throw noSuchFile(name);
      return wireKeptFile(kept);
    },

    async list({ update_session_id: sessionId }, call) {
      const session = await seeSession(deps, sessionId, call);
      const changed = await listWhole((page) => uploads.listFiles({ sessionId, page }, call), call);
      const names = new Set(changed.map(({ name }) => name));
      const kept = (await listKept(session, call)).filter(({ name }) => !names.has(name));
      return [...kept.map(wireKeptFile), ...changed.map((file) => infoOf(file, call))];
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
          error_message: messageOf(failure ?? { reason: "interrupted", message: "its content is not whole" }, name),
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

function randomNumber(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
