// The forms that one operation's path has: with `.json` and without, and with the service's own prefix in front.
import { createRoute, type PathNames, type RoutedRequest, type Row, type WireResponse } from "../kit/index.js";
import type { ImisCall } from "./call.js";
import type { ImisServices } from "./services.js";

/** `anyone` needs no login. */
export interface ImisFacts {
  readonly admits: "anyone" | "login";
  /** GET changes something here, as the vendor has it: so HEAD is none of its methods. */
  readonly acts: boolean;
}

export type ImisRow = Row<ImisServices, ImisFacts, ImisCall>;

const route = createRoute<ImisServices, ImisFacts, ImisCall>();

/** The rows of one operation. `line` is `METHODS /path`, several methods with a `|` between them, and no suffix. */
export function operation<Line extends string, Input, Result>(
  line: Line,
  row: {
    readonly admits?: ImisFacts["admits"];
    readonly acts?: ImisFacts["acts"];
    readonly read: (request: RoutedRequest<PathNames<Line>>) => Input | Promise<Input>;
    readonly run: (services: ImisServices) => (input: Input, call: ImisCall) => Promise<Result>;
    readonly write: (result: Result, request: RoutedRequest<PathNames<Line>>) => WireResponse;
  },
): readonly ImisRow[] {
  const { admits = "login", acts = false, read, run, write } = row;
  const [methods = "", path = ""] = line.split(" ");
  const forms = methods
    .split("|")
    .flatMap((method) => ["", "/scsvc"].map((prefix) => `${method} ${prefix}${path}`))
    .flatMap((form) => [form, `${form}.json`]);
  // A form has the names of the line that it is made from.
  return forms.map((form) => route(form as Line, { facts: { admits, acts }, read, run, write }));
}

/** An answer of this face: JSON, which nobody keeps. */
export function jsonAnswer(body: object, headers: WireResponse["headers"] = {}): WireResponse {
  const common = { "content-type": "application/json", "cache-control": "no-store" };
  return { status: 200, headers: { ...common, ...headers }, body: `${JSON.stringify(body)}\n` };
}

/** The answer where there is nothing to say but that it is done. */
export const doneAnswer: WireResponse = { status: 200, headers: { "cache-control": "no-store" } };
