// VMware's content library on the port.
import { createCapabilities } from "../access/capabilities.js";
import type { Access, Clock, Uploads } from "../core/index.js";
import {
  createAdmission,
  createDataUrls,
  createDownloads,
  createItems,
  createLibraries,
  createLogins,
  createProbe,
  createSessionFiles,
  createUpdateSessions,
  createUploadContent,
  createVsphereDialect,
} from "../rest/vsphere/index.js";
import type { Config } from "./config.js";
import type { CorsOptions } from "./cors.js";
import { type MountedDialect, mountDialect } from "./dialects.js";
import type { Log } from "./log.js";
import { requestIdHeader } from "./node-http.js";

const cors: Omit<CorsOptions, "origins"> = {
  methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
  allowedHeaders: [
    "content-type",
    "content-range",
    "authorization",
    "client-token",
    "vmware-api-session-id",
    "vmware-use-header-authn",
    "range",
    "if-range",
    requestIdHeader,
  ],
  exposedHeaders: ["upload-offset", "content-range", "content-disposition", "accept-ranges", "etag", requestIdHeader],
};

export function mountVsphere(deps: {
  readonly config: Config;
  readonly log: Log;
  readonly uploads: Uploads;
  readonly access: Access;
  readonly clock: Clock;
  /** What the URLs of its content are signed with. */
  readonly urlKey: Uint8Array;
}): MountedDialect {
  const { config, log, uploads, access } = deps;
  const { now } = deps.clock;
  const { deadlines } = config.vsphere;
  const dataUrls = createDataUrls({ capabilities: createCapabilities({ key: deps.urlKey }), now });
  const dialect = createVsphereDialect(createAdmission({ access, dataUrls, origins: config.corsOrigins }));
  const { download, ...downloads } = createDownloads({
    uploads,
    access,
    dataUrls,
    deadlines,
    now,
    onError: (error) => log.warn({ err: error, face: "vsphere" }, "how far downloads are could not be stored"),
  });
  const services = {
    logins: createLogins({ access }),
    ...createLibraries({ uploads }),
    ...createItems({ uploads }),
    updateSessions: createUpdateSessions({ uploads, deadlines, now }),
    sessionFiles: createSessionFiles({ uploads, dataUrls, now, probe: createProbe(uploads) }),
    ...downloads,
    data: { upload: createUploadContent({ uploads, access }), download },
  };
  return mountDialect(dialect, services, { config, log, cors });
}
