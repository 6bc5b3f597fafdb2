import { type Access, isUploadError, type Uploads } from "../../../core/index.js";
import { answerContent } from "../../kit/index.js";
import { noSuchUrl } from "../data-urls.js";
import type { DownloadContent } from "../data/service.js";
import { keepLoginAlive } from "../keep-login-alive.js";
import { goneFrom } from "./files.js";
import type { PreparedFiles } from "./prepared-files.js";
import type { SessionStore } from "./session-store.js";
import type { Transfers } from "./transfers.js";

/** What is behind the URLs of prepared files. */
export function createDownloadContent(deps: {
  readonly uploads: Pick<Uploads, "readItemFile">;
  readonly access: Pick<Access, "useToken">;
  readonly sessions: SessionStore;
  readonly files: PreparedFiles;
  readonly transfers: Pick<Transfers, "follow">;
}): DownloadContent {
  const { uploads, access, sessions, files, transfers } = deps;
  return {
    async read({ sessionId, fileId: contentId, tenantId }, { wire }, call) {
      const session = await sessions.see(sessionId, call).catch((error: unknown) => {
        throw isUploadError(error, "not_found") ? noSuchUrl() : error;
      });
      if (session.state !== "ACTIVE") throw noSuchUrl();
      const file = await files.findByContent(sessionId, contentId, call);
      if (file === undefined) throw noSuchUrl();
      const { name } = file;
      let from = 0;
      const answer = await answerContent(wire, async (choose) => {
        const read = await uploads
          .readItemFile(
            {
              itemId: session.itemId,
              name,
              choose(content) {
                if (content.id !== contentId) throw goneFrom(name, content);
                return choose(content);
              },
            },
            call,
          )
          .catch((error: unknown) => {
            throw isUploadError(error, "not_found") ? goneFrom(name, undefined) : error;
          });
        ({ from } = read);
        return read;
      });
      const { body } = answer;
      if (wire.method === "HEAD" || typeof body !== "object" || !(Symbol.asyncIterator in body)) return answer;
      const followed = transfers.follow({ sessionId, file, from, call }, body);
      return { ...answer, body: keepLoginAlive(access, { tenantId, tokenId: file.loginId }, followed) };
    },
  };
}
