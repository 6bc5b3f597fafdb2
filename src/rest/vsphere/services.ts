import type { DataService } from "./data/service.js";
import type { Handler } from "./operation.js";
import type { downloadFile, downloadSession } from "./operations/download-session.js";
import type { item, itemFile, itemStorage } from "./operations/item.js";
import type { library, localLibrary, subscribedLibrary } from "./operations/library.js";
import type { login } from "./operations/login.js";
import type { sessionFile } from "./operations/session-file.js";
import type { updateSession } from "./operations/update-session.js";

/** What carries out all operations of a service. */
export type Service<Operations> = { readonly [Name in keyof Operations]: Handler<Operations[Name]> };

/** What the rows of this face work with. */
export interface VsphereServices {
  readonly logins: Service<typeof login>;
  readonly libraries: Service<typeof library>;
  readonly localLibraries: Service<typeof localLibrary>;
  readonly subscribedLibraries: Service<typeof subscribedLibrary>;
  readonly items: Service<typeof item>;
  readonly itemFiles: Service<typeof itemFile>;
  readonly itemStorages: Service<typeof itemStorage>;
  readonly updateSessions: Service<typeof updateSession>;
  readonly sessionFiles: Service<typeof sessionFile>;
  readonly downloadSessions: Service<typeof downloadSession>;
  readonly downloadFiles: Service<typeof downloadFile>;
  /** What content is sent to and read from: no operations of the API, but the URLs that they give out. */
  readonly data: DataService;
}
