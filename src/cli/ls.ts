import { findLibrary, getItem, getLibrary, isId } from "./catalog/find.js";
import { listItemFiles, listItems } from "./catalog/listing.js";
import { itemFileJson, itemJson, libraryJson, printItemFiles, printItems } from "./catalog/catalog-view.js";
import { defineServerCommand, type ServerCall } from "./connection/server-command.js";
import { fileJson, printFiles, printSessions, sessionJson } from "./session/session-view.js";
import { CliError } from "./shell/cli-error.js";
import { printJson } from "./shell/output.js";
import { listFiles, listSessions } from "./transfer/listing.js";

type Call = Pick<ServerCall<Record<never, never>>, "client" | "retry" | "ask" | "context" | "json">;

export const ls = defineServerCommand({
  path: "ls",
  summary: "list sessions, or what is in a session, a library or an item",
  description: `Lists the sessions that you may see, newest first; or the files of one; or the items of a library; or
the files of an item. An id alone is that of a session: a library that is named by its id has a /
behind it.`,
  operands: { shape: "[SESSION | LIBRARY/ | LIBRARY/ITEM]", least: 0, most: 1 },
  examples: [
    "slipway ls",
    "slipway ls 6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    "slipway ls maps/",
    "slipway ls maps/europe --json",
  ],
  async run(call) {
    const [place] = call.operands;
    if (place === undefined) await lsSessions(call);
    else if (isId(place)) await lsSession(call, place);
    else if (/.\/./.test(place)) await lsItem(call, place);
    else await lsLibrary(call, place);
  },
});

async function lsSessions({ client, retry, context, json }: Call): Promise<void> {
  const sessions = await listSessions(client, retry);
  if (json) printJson(context, { sessions: sessions.map(sessionJson) });
  else printSessions(context, sessions);
}

async function lsSession({ client, retry, ask, context, json }: Call, sessionId: string): Promise<void> {
  const { session } = await ask((options) => client.sessions.getSession({ sessionId }, options));
  const files = await listFiles(client, retry, sessionId);
  if (json) printJson(context, { session: session && sessionJson(session), files: files.map(fileJson) });
  else printFiles(context, files);
}

async function lsLibrary(call: Call, place: string): Promise<void> {
  const { context, json } = call;
  const library = place.endsWith("/") ? await getLibrary(call, place.slice(0, -1)) : await findLibrary(call, place);
  if (library === undefined) {
    throw new CliError(`${JSON.stringify(place)} is neither the id of a session nor the name of a library`);
  }
  const items = await listItems(call, { libraryId: library.id });
  if (json) printJson(context, { library: libraryJson(library), items: items.map(itemJson) });
  else printItems(context, items);
}

async function lsItem(call: Call, place: string): Promise<void> {
  const { context, json } = call;
  const item = await getItem(call, place, "what is listed");
  const files = await listItemFiles(call, item.id);
  if (json) printJson(context, { item: itemJson(item), files: files.map(itemFileJson) });
  else printItemFiles(context, files);
}
