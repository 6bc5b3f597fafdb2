// FOLIO's dialect on the port.
import { statfs } from "node:fs/promises";
import type { Access, Clock, Uploads } from "../core/index.js";
import {
  createDefinitions,
  createExtensions,
  createFolioDialect,
  createFolioLogins,
  createFolioTokens,
  createGateway,
  createOkapiGate,
} from "../rest/folio/index.js";
import type { Config } from "./config.js";
import type { CorsOptions } from "./cors.js";
import { type MountedDialect, mountDialect } from "./dialects.js";
import type { Log } from "./log.js";

/** What Okapi lets scripts send and see. */
const cors: Omit<CorsOptions, "origins"> = {
  methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
  allowedHeaders: [
    "content-type",
    "x-okapi-tenant",
    "x-okapi-token",
    "authorization",
    "x-okapi-request-id",
    "x-okapi-module-id",
    "accept-language",
  ],
  exposedHeaders: [
    "location",
    "x-okapi-trace",
    "x-okapi-token",
    "authorization",
    "x-okapi-request-id",
    "x-okapi-module-id",
  ],
};

export function mountFolio(deps: {
  readonly config: Config;
  readonly log: Log;
  readonly uploads: Uploads;
  readonly access: Access;
  readonly clock: Clock;
  /** What its tokens are signed with. */
  readonly tokenKey: Uint8Array;
}): MountedDialect {
  const { config, log, uploads, access, clock } = deps;
  const { trustOkapi, deadlines, maxFileBytes, dateOffset } = config.folio;
  const tokens = createFolioTokens({ key: deps.tokenKey });
  const extensions = createExtensions(uploads, clock.now);
  const definitions = createDefinitions({
    uploads,
    extensions,
    deadlines,
    maxFileBytes: Math.min(maxFileBytes, config.limits.maxFileBytes),
    freeBytes: () => freeBytesOf(config.dataDir),
    now: clock.now,
  });
  const login = { access, tokens, origins: config.corsOrigins, now: clock.now };
  const gate = trustOkapi ? createOkapiGate(login) : createGateway(login);
  const dialect = createFolioDialect(gate, trustOkapi ? "okapi" : "login", dateOffset);
  const services = { access, definitions, extensions, logins: createFolioLogins(login) };
  // Behind Okapi, who asks is whoever a header names: a page that some browser on this machine shows must not be able to
  // send one. Okapi answers browsers itself.
  return mountDialect(dialect, services, { config, log, cors: trustOkapi ? undefined : cors });
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
