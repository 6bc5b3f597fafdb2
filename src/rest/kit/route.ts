// One line of a dialect's table: what is asked for, and the three small steps that answer it.
import type { Call, JsonValue } from "../../core/index.js";
import type { WireRequest, WireResponse } from "./wire.js";

/** The names in braces of a request line. */
export type PathNames<Line extends string> = Line extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PathNames<Rest>
  : never;

/** A body as it is sent. Its length is undefined where the last chunk of an HTTP/1.1 message tells the end (P11). */
export interface RawBody {
  readonly lengthBytes: number | undefined;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** A request that a row is for. */
export interface RoutedRequest<Name extends string = string> {
  /** Decoded. */
  readonly params: Readonly<Record<Name, string>>;
  readonly wire: WireRequest;
  /** The decoded word with this name in the query, the first of several. */
  query(name: string): string | undefined;
  /**
   * The whole body as text, empty where there is none. Throws `HttpProblem` 400 (not in UTF-8), 408 or 413, which name the
   * limit, and 415 for a coding.
   */
  text(limit?: { readonly mostBytes: number }): Promise<string>;
  /**
   * The body as JSON; a row that knows how little it needs says so by `mostBytes`. Throws `HttpProblem` 400 (none, or no
   * JSON) or 413, which names the limit.
   */
  json(limit?: { readonly mostBytes: number }): Promise<JsonValue>;
  /** Throws `HttpProblem` 411 where an HTTP/2 body has no announced length, 415 for a coding. */
  raw(): RawBody;
}

/** A line of the table. `facts` are the dialect's own: what a route needs, and what it takes and gives. */
export interface Row<Services, Facts, C extends Call> {
  readonly line: string;
  readonly facts: Facts;
  answer(services: Services, request: RoutedRequest, call: C): Promise<WireResponse>;
}

/** The maker of a dialect's rows, for its services, facts and calls. */
export function createRoute<Services, Facts, C extends Call = Call>() {
  /**
   * `line`: `METHOD /path/{name}`, and after `?` the words of the query that it is for alone. `read` finds the input in
   * the request, `run` picks the operation, `write` says the result.
   */
  return function route<Line extends string, Input, Result>(
    line: Line,
    row: {
      readonly facts: Facts;
      readonly read: (request: RoutedRequest<PathNames<Line>>) => Input | Promise<Input>;
      readonly run: (services: Services) => (input: Input, call: C) => Promise<Result>;
      readonly write: (result: Result, request: RoutedRequest<PathNames<Line>>) => WireResponse;
    },
  ): Row<Services, Facts, C> {
    return {
      line,
      facts: row.facts,
      async answer(services, request, call) {
        const routed = request as RoutedRequest<PathNames<Line>>;
        return row.write(await row.run(services)(await row.read(routed), call), routed);
      },
    };
  };
}
