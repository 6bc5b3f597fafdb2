import type { Puller, PullOutcome, SourceProber, Uploads } from "../core/index.js";
import { createAddressPolicy } from "../sources/address-policy.js";
import { createContentSource } from "../sources/content-source.js";
import { createFileSource } from "../sources/file.js";
import { createHttpSource } from "../sources/http.js";
import { createSourceProber } from "../sources/probe.js";
import type { Config } from "./config.js";
import type { Log } from "./log.js";

/** Fetches what files with a source wait for, once the database can be asked. */
export function startPulling(deps: {
  readonly uploads: Pick<Uploads, "createPuller">;
  readonly config: Pick<Config, "pull" | "dataDir">;
  readonly log: Log;
  /** Resolves when the database is as it must be. */
  readonly ready: Promise<unknown>;
  readonly onEnd: (result: PullOutcome | "broken") => void;
}): Puller {
  const { uploads, config, log, onEnd } = deps;
  const file = openFolders(config);
  const http = createHttpSource({ policy: createAddressPolicy(config.pull.allow) });
  const puller = uploads.createPuller({
    source: createContentSource({ http, file }),
    mover: file,
    onTrouble: ({ sessionId, fileId }, error) =>
      log.info({ sessionId, fileId, err: error }, "a source gave trouble; its file is delayed or fails"),
    onEnd({ sessionId, fileId }, end) {
      if (typeof end === "string") {
        onEnd(end);
        log[end === "failed" ? "info" : "debug"]({ sessionId, fileId, end }, "a fetch ended");
      } else {
        onEnd("broken");
        log.warn({ sessionId, fileId, err: end.error }, "a fetch was broken off; it is tried again");
      }
    },
    onError: (error) =>
      log.warn({ err: error }, "what is to be fetched, or was moved, could not be seen to; it is tried again"),
  });
  deps.ready.then(
    () => puller.start(),
    () => undefined,
  );
  return puller;
}

/** Finds out what a fetch would meet, by the rules of fetching. */
export function createProber(config: Pick<Config, "pull" | "dataDir">): SourceProber {
  const policy = createAddressPolicy(config.pull.allow);
  return createSourceProber({ http: { policy }, file: openFolders(config) });
}

/** The data folder holds keys and other people's content. */
function openFolders({ pull, dataDir }: Pick<Config, "pull" | "dataDir">) {
  return createFileSource({ roots: pull.roots, closed: [dataDir] });
}
