import type { Access, Uploads } from "../../../core/index.js";
import type { DataUrls } from "../data-urls.js";
import type { DataService } from "../data/service.js";
import type { VsphereServices } from "../services.js";
import { createDownloadContent } from "./content.js";
import type { DownloadDeadlines } from "./download-session.js";
import { createDownloadFiles } from "./files.js";
import { createPreparedFiles } from "./prepared-files.js";
import { createSessionStore } from "./session-store.js";
import { createDownloadSessions } from "./sessions.js";
import { createTransfers } from "./transfers.js";

export interface DownloadsDeps {
  readonly uploads: Pick<
    Uploads,
    "findRecord" | "changeRecords" | "listRecords" | "getItem" | "getItemFile" | "listItemFiles" | "readItemFile"
  >;
  readonly access: Pick<Access, "useToken">;
  readonly dataUrls: Pick<DataUrls, "forDownload">;
  readonly deadlines: DownloadDeadlines;
  readonly now: () => Date;
  /** Told what could not be taken down of downloads that go on. */
  readonly onError: (error: unknown) => void;
}

/** Reading items' files back: download sessions, what is prepared in them, and what their URLs give. */
export function createDownloads(
  deps: DownloadsDeps,
): Pick<VsphereServices, "downloadSessions" | "downloadFiles"> & Pick<DataService, "download"> {
  const sessions = createSessionStore(deps);
  const files = createPreparedFiles(deps);
  const transfers = createTransfers({ ...deps, sessions, files });
  return {
    downloadSessions: createDownloadSessions({
      ...deps,
      store: sessions,
      onEnd: transfers.end,
      forgetFiles: files.removeAll,
    }),
    downloadFiles: createDownloadFiles({ ...deps, sessions, files, transfers }),
    download: createDownloadContent({ ...deps, sessions, files, transfers }),
  };
}
