// What an operation is called, takes and gives, and where it is found: everything else follows from this.
import type { Family, VsphereCall } from "./call.js";
import { type Fields, type StructType, type StructValue, struct, type Type, type ValueOf } from "./schema.js";
import type { VsphereServices } from "./services.js";

/** Where an operation of 6.x has a method of its own beside `POST ...?~action=`. */
export interface RestForm {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Whether the id stands in the path (`/id:{id}`), or the path is the service's. */
  readonly at: "service" | "id";
  /** It shares the method with another operation, and says `~action=` as well. */
  readonly named?: true;
}

/** Where it is in 7 and later: there are no wrappers there. */
export interface ApiForm {
  /** `POST /api/.../{parameter}?action=word`; several where clients know several. What is not in the path may be in the query. */
  readonly lines: readonly string[];
  /** The parameter that the body is; without it, the body's members are the parameters. */
  readonly body?: string;
  /** Of an answer with a result. Default: 200. Without a result it is 204. */
  readonly status?: 201;
}

export interface Operation<I extends Fields = Fields, O extends Type | undefined = Type | undefined> {
  /** `com.vmware.content.library.item.update_session`. */
  readonly service: string;
  /** `keep_alive`. */
  readonly name: string;
  readonly input: StructType<I>;
  readonly output: O;
  /** The parameter that an id in the path is. */
  readonly id: (keyof I & string) | undefined;
  readonly rest: RestForm | undefined;
  readonly api: ApiForm | undefined;
}

export type InputOf<Op> = Op extends Operation<infer I, infer _O> ? StructValue<I> : never;

/** What carries an operation out. */
export type Handler<Op> =
  Op extends Operation<infer I, infer O>
    ? (input: StructValue<I>, call: VsphereCall) => O extends Type ? Promise<ValueOf<O>> : Promise<void>
    : never;

/** The maker of one service's operations. */
export function operationsOf(service: string) {
  return function operation<const I extends Fields, const O extends Type | undefined = undefined>(
    name: string,
    words: {
      readonly input?: I;
      readonly output?: O;
      readonly id?: keyof I & string;
      readonly rest?: RestForm;
      readonly api?: ApiForm;
    },
  ): Operation<I, O> {
    return {
      service,
      name,
      input: struct((words.input ?? {}) as I),
      output: words.output as O,
      id: words.id,
      rest: words.rest,
      api: words.api,
    };
  };
}

/** An operation and what carries it out: a line of the dialect's table. */
export interface Served {
  readonly operation: Operation;
  /** What has to be shown: a login, or the name and password that one is made from. */
  readonly admits: "login" | "password";
  run(services: VsphereServices, input: unknown, call: VsphereCall): Promise<unknown>;
  /** Headers of the answer, beside those of every one. */
  headers(output: unknown, call: VsphereCall): Readonly<Record<string, string>>;
}

export function serve<I extends Fields, O extends Type | undefined>(
  operation: Operation<I, O>,
  pick: (services: VsphereServices) => Handler<Operation<I, O>>,
  more: Partial<Pick<Served, "admits" | "headers">> = {},
): Served {
  return {
    operation: operation as unknown as Operation,
    admits: more.admits ?? "login",
    run: (services, input, call) => {
      const handle = pick(services) as (input: unknown, call: VsphereCall) => Promise<unknown>;
      return handle(input, call);
    },
    headers: more.headers ?? (() => ({})),
  };
}

/** What a row of the dialect is about. */
export interface VsphereFacts {
  readonly family: Family;
  /** `nothing`: the URL itself is what lets in. */
  readonly admits: Served["admits"] | "nothing";
}
