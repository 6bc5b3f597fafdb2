import type { Call } from "./call.js";
import type { CoreDeps } from "./deps.js";
import { isUploadError } from "./error.js";
import type { MetadataStore } from "./ports/metadata-store.js";
import type { ContentKind, Observer } from "./ports/observer.js";
import type { Session } from "./session.js";

/** The same store, whose observer is told when sessions begin and end, once that is committed. */
export function tellSessions(metadata: MetadataStore, observer: Observer): MetadataStore {
  /** Nothing applies to a session that has ended, so what leaves it in the end is its end. */
  const tellEnd = ({ state, failure }: Session) => {
    if (state !== "active" && state !== "completing") observer.sessionEnded(state, failure?.reason);
  };
  async function after<Result extends { readonly session: Session; readonly applied?: boolean }>(
    deed: Promise<Result>,
    tell: (session: Session) => void,
  ): Promise<Result> {
    const result = await deed;
    if (result.applied !== false) tell(result.session);
    return result;
  }
  return {
    ...metadata,
    createSession: (input) => after(metadata.createSession(input), () => observer.sessionCreated()),
    putFile: (input) =>
      after(metadata.putFile(input), (session) => {
        observer.sessionCreated();
        tellEnd(session);
      }),
    updateSession: (ref, change) => after(metadata.updateSession(ref, change), tellEnd),
    completeSession: (ref, decide) => after(metadata.completeSession(ref, decide), tellEnd),
    finishAttempt: (ref, options, decide) => after(metadata.finishAttempt(ref, options, decide), tellEnd),
  };
}

type Operation<Input, Result> = (deps: CoreDeps, input: Input, call: Call) => Promise<Result>;

/** The same operation, whose observer is told when content is refused for its checksum. */
export function tellChecksums<Input, Result>(
  kind: ContentKind,
  operation: Operation<Input, Result>,
): Operation<Input, Result> {
  return (deps, input, call) =>
    operation(deps, input, call).catch((error: unknown) => {
      if (isUploadError(error, "checksum_mismatch")) deps.observer.checksumFailed(kind);
      throw error;
    });
}

/** Content on its way out, counted. */
export async function* tellSent(body: AsyncIterable<Uint8Array>, observer: Observer): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) {
    observer.sent(chunk.length);
    yield chunk;
  }
}
