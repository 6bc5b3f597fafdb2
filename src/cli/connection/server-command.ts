import type { Command, Context, Operands, Options, Values } from "../shell/command.js";
import { defineCommand, type Given } from "../shell/define-command.js";
import type { SharedOption } from "../shell/help.js";
import { withInterrupt } from "../shell/interrupt.js";
import { adviseLogin } from "./login-advice.js";
import { type Connection, readConnection } from "./settings.js";
import { type Talk, withTalk } from "./talk.js";

/** Options of every command that talks to a server. */
export const connectionOptions = {
  url: {
    shared: true,
    type: "string",
    value: "URL",
    summary:
      "the server; else SLIPWAY_URL, else the one of the last login, else http://127.0.0.1:8080. Over https, a certificate of a private authority is trusted when NODE_EXTRA_CA_CERTS names its file",
  },
  server: {
    shared: true,
    type: "string",
    value: "NAME",
    summary: "a server by the name that it has since `slipway login`",
    completes: "server",
  },
  token: {
    shared: true,
    type: "string",
    value: "TOKEN",
    summary:
      "who you are; else SLIPWAY_TOKEN, else what `slipway login` stored for that server, else, on its own machine, its administrator with the password in initial-admin-password in SLIPWAY_DATA_DIR or ./slipway-data",
  },
  protocol: {
    shared: true,
    type: "string",
    value: "NAME",
    choices: ["connect", "grpc"],
    summary: "connect (HTTP/1.1, the default) or grpc (HTTP/2)",
  },
  "retry-for": {
    shared: true,
    type: "string",
    value: "TIME",
    summary: "how long to go on trying without progress (15s)",
  },
} as const satisfies Record<string, SharedOption>;

/** The option of every command that prints something. */
export const jsonOption = {
  json: { type: "boolean", summary: "print one JSON object" },
} as const satisfies Options;

const sharedOptions = { ...jsonOption, ...connectionOptions };

type Shared = typeof sharedOptions;

/** What a command that talks to a server works with. */
export interface ServerCall<O extends Options> extends Given<O & Shared>, Talk {
  readonly context: Context;
  readonly connection: Connection;
  readonly json: boolean;
}

/** A command with a connection. Whatever it calls ends with Ctrl-C. */
export function defineServerCommand<const O extends Options>(spec: {
  readonly path: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly operands?: Operands;
  readonly options?: O;
  readonly examples: readonly string[];
  /** How long it goes on trying without progress unless it is told otherwise, such as `15s`. */
  readonly retryFor?: string;
  /** What makes no sense, before anything is looked up. */
  check?(given: Given<O & Shared>): unknown;
  /** Nothing stands for 0. */
  run(call: ServerCall<O>): Promise<number | undefined>;
}): Command {
  const patience = spec.retryFor ?? "15s";
  const retryOption = {
    ...sharedOptions["retry-for"],
    summary: `how long to go on trying without progress (${patience})`,
  };
  const options = { ...(spec.options ?? {}), ...sharedOptions, "retry-for": retryOption } as O & Shared;
  return defineCommand({
    ...spec,
    options,
    async run(given, context) {
      spec.check?.(given);
      const shared: Values<Shared> = given.values;
      const retryFor = shared["retry-for"] ?? patience;
      const connection = await readConnection({ ...shared, "retry-for": retryFor }, context.env);
      const json = shared.json === true;
      const target = { ...connection, interceptors: [adviseLogin(connection)] };
      return await withInterrupt((signal) =>
        withTalk(target, context, signal, (talk) => spec.run({ ...given, ...talk, context, connection, json })),
      );
    },
  });
}
