import { once } from "node:events";
import { join } from "node:path";
import type { ClientAnswer, ClientCommand, Place, UploadTiming } from "./client-process.js";
import { type Processes, repositoryRoot } from "./processes.js";

/** The client process as seen from the bench; one command at a time. */
export interface LoadClient {
  /** What the content hashes to. */
  readonly sha256: string;
  connect(url: string, token: string): Promise<void>;
  prepare(): Promise<Place>;
  upload(url: string, place: Place): Promise<UploadTiming>;
  readBack(place: Place): Promise<void>;
  remove(place: Place): Promise<void>;
  stop(): Promise<void>;
}

/** Resolves once the content is made. */
export async function startLoadClient(processes: Processes, face: string, sizeBytes: number): Promise<LoadClient> {
  const program = join(repositoryRoot, "test/bench/client-process.ts");
  const words = ["--import", "tsx", program, face, String(sizeBytes)];
  const { child, ended, stop } = processes.start({ name: "the client", words, channel: true });

  async function hear(): Promise<ClientAnswer> {
    const [answer] = (await Promise.race([once(child, "message"), ended])) as [ClientAnswer];
    if (answer.kind === "failed") throw new Error(answer.message);
    return answer;
  }
  async function obey<T>(command: ClientCommand): Promise<T> {
    const answer = hear();
    child.send(command, () => undefined);
    return ((await answer) as { readonly result: T }).result;
  }
  const first = await hear();
  if (first.kind !== "ready") throw new TypeError(`the client began with ${first.kind}`);
  return {
    sha256: first.sha256,
    connect: (url, token) => obey({ kind: "connect", url, token }),
    prepare: () => obey({ kind: "prepare" }),
    upload: (url, place) => obey({ kind: "upload", url, place }),
    readBack: (place) => obey({ kind: "readBack", place }),
    remove: (place) => obey({ kind: "remove", place }),
    stop,
  };
}
