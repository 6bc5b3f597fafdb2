// IMiS/Storage Connector Services on the port.
import type { Access, Clock, Uploads } from "../core/index.js";
import {
  createAdmission,
  createEntities,
  createImisDialect,
  createLogins,
  createObjects,
  createStagedObjects,
  createStreams,
  createUploadSessions,
  type ImisServices,
} from "../rest/imis/index.js";
import type { Config } from "./config.js";
import type { CorsOptions } from "./cors.js";
import { type MountedDialect, mountDialect } from "./dialects.js";
import type { Log } from "./log.js";
import { requestIdHeader } from "./node-http.js";

const cors: Omit<CorsOptions, "origins"> = {
  methods: ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"],
  allowedHeaders: [
    "authorization",
    "content-type",
    "content-range",
    "content-digest",
    "content-md5",
    "repr-digest",
    "upload-checksum",
    "range",
    "if-range",
    requestIdHeader,
  ],
  exposedHeaders: [
    "upload-offset",
    "upload-length",
    "upload-limit",
    "content-range",
    "content-disposition",
    "accept-ranges",
    "etag",
    "allow",
    "retry-after",
    requestIdHeader,
  ],
};

export function mountImis(deps: {
  readonly config: Config;
  readonly log: Log;
  readonly uploads: Uploads;
  readonly access: Access;
  readonly clock: Clock;
}): MountedDialect {
  const { config, log, uploads, access } = deps;
  const { now } = deps.clock;
  const { deadlines, limits, overlap, extensionDot } = config.imis;
  const entities = createEntities({ uploads, limits, deadlines, now });
  const services: ImisServices = {
    logins: createLogins({ access, uploads, entities }),
    entities,
    uploadSessions: createUploadSessions({ uploads, entities, limits, deadlines, overlap, now }),
    objects: createObjects({ uploads, entities }),
    streams: createStreams({ uploads, entities, limits, deadlines, now }),
    staged: createStagedObjects({ uploads, limits, deadlines, now }),
    extensionDot,
  };
  return mountDialect(createImisDialect(createAdmission({ access })), services, { config, log, cors });
}
