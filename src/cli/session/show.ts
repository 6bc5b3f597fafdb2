import type { CallOptions } from "@connectrpc/connect";
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import type { File } from "../../../gen/slipway/upload/v1/file_pb.js";
import { type Session, SessionState } from "../../../gen/slipway/upload/v1/session_pb.js";
import type { ValidateSessionResponse } from "../../../gen/slipway/upload/v1/session_service_pb.js";
import { findItemById, type Lookup } from "../catalog/find.js";
import { listSome } from "../connection/all-pages.js";
import { isReason } from "../connection/rpc-error.js";
import { defineServerCommand } from "../connection/server-command.js";
import { formatForeign, formatMoment } from "../shell/format.js";
import { printFields, printJson } from "../shell/output.js";
import { parseSessionId, sessionOperand } from "./session-id.js";
import { describeProblem, fileJson, formatSizeOf, sessionJson } from "./session-view.js";

const shownMissing = 10;

/** Files that are looked through for those that are being fetched. */
const searched = 1000;

/** What still stands between a session and its completion. */
interface Missing {
  readonly missingFiles: readonly string[];
  readonly invalidFiles: readonly { readonly name: string; readonly failure: string | undefined }[];
}

export const show = defineServerCommand({
  path: "session show",
  summary: "tell all about one session",
  description: `Tells all about one session: its deadlines, the item that its files are for, why it failed, and, while it
runs, which files it still waits for, and how far those are that the server fetches.`,
  operands: sessionOperand,
  examples: ["slipway session show 6f9619ff-8b86-4d01-b42d-00cf4fc964ff"],
  check: ({ operands }) => parseSessionId(operands[0]),
  async run(call) {
    const { operands, client, ask, context, json } = call;
    const sessionId = parseSessionId(operands[0]);
    const session = (await ask((options) => client.sessions.getSession({ sessionId }, options))).session as Session;
    const target = session.itemId === undefined ? undefined : await describeItem(call, session.itemId);
    const missing = await findMissing(
      session,
      (options) => client.sessions.validateSession({ sessionId }, options),
      ask,
    );
    const fetched = await findFetched(call, session);
    const fetchedFiles = isRunning(session) ? { fetchedFiles: fetched.map(fileJson) } : {};
    if (json) printJson(context, { session: { ...sessionJson(session), item: target }, ...missing, ...fetchedFiles });
    else printFields(context, [...fieldsOf(session, target), ...missingFields(missing), ...fetchedFields(fetched)]);
    return 0;
  },
});

/** As `LIBRARY/ITEM`; undefined when the item has gone. */
async function describeItem(lookup: Lookup, itemId: string): Promise<string | undefined> {
  const item = await findItemById(lookup, itemId);
  if (item === undefined) return undefined;
  const { libraryId } = item;
  const { library } = await lookup.ask((options) => lookup.client.catalog.getLibrary({ libraryId }, options));
  return `${library?.name}/${item.name}`;
}

async function findMissing(
  session: Session,
  validate: (options: CallOptions) => Promise<ValidateSessionResponse>,
  ask: Lookup["ask"],
): Promise<Missing | undefined> {
  if (session.state !== SessionState.ACTIVE) return undefined;
  try {
    const found = await ask(validate);
    const invalidFiles = found.invalidFiles.map(({ name, failure }) => {
      return { name, failure: failure?.message?.defaultMessage };
    });
    return { missingFiles: found.missingFiles, invalidFiles };
  } catch (error) {
    // It ended between the two calls.
    if (isReason(error, ErrorReason.SESSION_STATE) || isReason(error, ErrorReason.SESSION_EXPIRED)) return undefined;
    throw error;
  }
}

/** The files that the server is fetching, of the newest of the session. */
async function findFetched({ client, ask }: Pick<Lookup, "client" | "ask">, session: Session): Promise<File[]> {
  if (!isRunning(session)) return [];
  const files = await listSome(
    searched,
    (page) => ask((options) => client.files.listFiles({ sessionId: session.id, ...page }, options)),
    (page) => page.files,
  );
  return files.filter((file) => file.fetch !== undefined).reverse();
}

function isRunning({ state }: Session): boolean {
  return state === SessionState.ACTIVE || state === SessionState.COMPLETING;
}

function fieldsOf(session: Session, target: string | undefined): [string, string][] {
  const json = sessionJson(session);
  const running = isRunning(session);
  const item = session.itemId === undefined ? "" : `${target ?? "(gone)"} (${session.itemId})`;
  const fields: [string, string][] = [
    ["session", json.id],
    ["state", json.state],
    ["label", json.label],
    ["files", String(json.files)],
    ["item", item],
    ["access", `${json.access}, seen by its ${json.visibility}`],
    ["owner", json.ownerUserId],
    ["origin", json.origin],
    ["progress", json.progress === 0 ? "" : `${json.progress} % by its client's account`],
    ["attributes", Object.keys(json.attributes).length === 0 ? "" : JSON.stringify(json.attributes)],
    ["events", String(json.lastEvent)],
    ["created", formatMoment(session.createTime)],
    ["changed", formatMoment(session.updateTime)],
    [running ? "expires" : "forgotten", formatMoment(session.expireTime)],
    ["ended", formatMoment(session.endTime)],
    ["failure", json.failure ?? ""],
  ];
  return fields.filter(([, value]) => value !== "").map(([name, value]) => [name, formatForeign(value)]);
}

function missingFields(missing: Missing | undefined): [string, string][] {
  if (missing === undefined) return [];
  const { missingFiles, invalidFiles } = missing;
  const fields = [
    ...missingFiles.slice(0, shownMissing).map((name): [string, string] => ["missing", formatForeign(name)]),
    ...invalidFiles
      .slice(0, shownMissing)
      .map(({ name, failure }): [string, string] => ["refused", formatForeign(`${name}: ${failure}`)]),
  ];
  const more = missingFiles.length + invalidFiles.length - fields.length;
  return more > 0 ? [...fields, ["", `and ${more} more`]] : fields;
}

function fetchedFields(files: readonly File[]): [string, string][] {
  const fields = files.slice(0, shownMissing).map((file): [string, string] => {
    const problem = describeProblem(file);
    const far = `${file.spec?.name}: ${formatSizeOf(file)}${problem === "" ? "" : `; ${problem}`}`;
    return ["fetching", formatForeign(far)];
  });
  const more = files.length - fields.length;
  return more > 0 ? [...fields, ["", `and ${more} more`]] : fields;
}
