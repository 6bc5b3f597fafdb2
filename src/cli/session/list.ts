import { SessionState } from "../../../gen/slipway/upload/v1/session_pb.js";
import { getItem } from "../catalog/find.js";
import { listSome } from "../connection/all-pages.js";
import { defineServerCommand } from "../connection/server-command.js";
import { limitOption, parseLimit } from "../shell/limit.js";
import { printJson } from "../shell/output.js";
import { printSessions, sessionJson } from "./session-view.js";

const states = {
  active: SessionState.ACTIVE,
  completing: SessionState.COMPLETING,
  done: SessionState.DONE,
  canceled: SessionState.CANCELED,
  failed: SessionState.FAILED,
} as const;

export const list = defineServerCommand({
  path: "session list",
  aliases: ["ls"],
  summary: "list sessions, all or some",
  description: "Lists the sessions that you may see, newest first. All filters that are given must hold.",
  options: {
    state: {
      type: "string",
      value: "STATE",
      multiple: true,
      choices: Object.keys(states),
      summary: "only those in this state; may be given more than once",
    },
    label: { type: "string", value: "TEXT", summary: "only those with exactly this label" },
    item: { type: "string", value: "LIBRARY/ITEM", summary: "only those for this item" },
    ...limitOption,
  },
  examples: ["slipway session list --state active", 'slipway session list --label "summer" --limit 10 --json'],
  check: ({ values }) => parseLimit(values.limit),
  async run(call) {
    const { values, client, ask, context, json } = call;
    const item = values.item === undefined ? undefined : await getItem(call, values.item, "--item");
    const filters = {
      states: (values.state ?? []).map((state) => states[state as keyof typeof states]),
      ...(values.label !== undefined && { label: values.label }),
      ...(item !== undefined && { itemId: item.id }),
    };
    const sessions = await listSome(
      parseLimit(values.limit),
      (page) => ask((options) => client.sessions.listSessions({ ...filters, ...page }, options)),
      (page) => page.sessions,
    );
    if (json) printJson(context, { sessions: sessions.map(sessionJson) });
    else printSessions(context, sessions);
    return 0;
  },
});
