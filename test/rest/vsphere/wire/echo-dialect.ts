// Every operation of the API, with nothing behind it: what was asked for, and a made-up answer.
import { createDialectHandler, type Dialect, type WireRequest } from "../../../../src/rest/kit/index.js";
import type { VsphereCall } from "../../../../src/rest/vsphere/call.js";
import type { Operation, VsphereFacts } from "../../../../src/rest/vsphere/operation.js";
import type { Type } from "../../../../src/rest/vsphere/schema.js";
import type { VsphereServices } from "../../../../src/rest/vsphere/services.js";
import { table } from "../../../../src/rest/vsphere/table.js";
import { apology, createOperationRows, lose, refuse } from "../../../../src/rest/vsphere/wire/index.js";
import { bodyOf } from "../../../support/bodies.js";
import { limits, request } from "../../kit/made-up-dialect.js";

export const nameOf = ({ service, name }: Operation) => `${service.replace("com.vmware.", "")}.${name}`;

export const operations: ReadonlyMap<string, Operation> = new Map(
  table.map(({ operation }) => [nameOf(operation), operation]),
);

export interface Asked {
  readonly operation: string;
  readonly input: unknown;
}

export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | undefined;
  /** What the handler of an operation got, if one did. */
  readonly asked: Asked | undefined;
}

/** `give` makes up the answers, and may throw. */
export function openEcho(give: (operation: Operation, input: unknown) => unknown = ({ output }) => sampleOf(output)) {
  let asked: Asked | undefined;
  const logged: unknown[] = [];
  const echoing = table.map((served) => ({
    ...served,
    async run(_services: VsphereServices, input: unknown) {
      asked = { operation: nameOf(served.operation), input };
      return give(served.operation, input);
    },
  }));
  const dialect: Dialect<VsphereServices, VsphereFacts, VsphereCall> = {
    name: "vsphere",
    prefixes: ["/rest/com/vmware", "/com/vmware", "/api"],
    rows: createOperationRows(echoing),
    trailingSlash: "optional",
    queryNames: "exact",
    unread: "close",
    admit: async (wire) => ({ call: { signal: wire.signal, wire } as VsphereCall, use: () => undefined }),
    lose,
    refuse,
    apology,
  };
  const handler = createDialectHandler(dialect, {} as VsphereServices, {
    ...limits,
    logUnexpected: (error) => logged.push(error),
  });
  return {
    logged,
    async ask(line: string, body?: string, headers: WireRequest["headers"] = {}): Promise<Told> {
      asked = undefined;
      const sent = body === undefined ? {} : { body: bodyOf([Buffer.from(body)]) };
      const chunked = body === undefined ? {} : { "transfer-encoding": "chunked" };
      const answer = await handler.handle(request(line, { ...sent, headers: { ...chunked, ...headers } }));
      return { status: answer.status, headers: answer.headers, body: answer.body as string | undefined, asked };
    },
  };
}

/** Some value of a type, with all that is optional. */
export function sampleOf(type: Type | undefined): unknown {
  switch (type?.kind) {
    case undefined:
      return undefined;
    case "optional":
      return sampleOf(type.type);
    case "text":
      return "some text";
    case "integer":
      return 10;
    case "boolean":
      return true;
    case "instant":
      return new Date("2013-06-06T22:13:05Z");
    case "enum":
      return type.words[0];
    case "list":
      return [sampleOf(type.element), sampleOf(type.element)];
    case "struct":
      return Object.fromEntries(Object.entries(type.fields).map(([name, field]) => [name, sampleOf(field)]));
  }
}
