import { parsePairs, type RoutedRequest } from "../../kit/index.js";
import type { Operation } from "../operation.js";
import { assertMeant } from "./actions.js";
import { readBody } from "./body.js";
import { readPairs } from "./from-pairs.js";
import { checkComplete, fillParameters, type Members, mergeParts } from "./input.js";
import { familyOf, reservedNames } from "./names.js";
import { createProblems } from "./problems.js";

/** Of a body where there is nothing to say. */
const mostIdleBytes = 16 * 1024;

/**
 * What an operation is given: by path, query, header and body together, whole and of the right types. Throws
 * `operation_not_found` where the query names another operation, and `invalid_argument` with all that is wrong.
 */
export async function readInput(operation: Operation, request: RoutedRequest): Promise<unknown> {
  const { wire, params } = request;
  assertMeant(operation, wire);
  const family = familyOf(wire.path);
  const { input } = operation;
  const problems = createProblems();
  // Whoever says nothing, as for a login that nobody has yet, needs no room to say it in.
  const text = await request.text(Object.keys(input.fields).length === 0 ? { mostBytes: mostIdleBytes } : undefined);
  const inBody = await readBody(operation, { text, contentType: wire.headers["content-type"], family }, problems);
  const inQuery = readPairs(input, withoutReserved(parsePairs(wire.query), reservedNames[family]), problems);
  problems.assertNone();
  const sent = (mergeParts(input, inBody, inQuery, "", problems) ?? {}) as Members;
  const token = wire.headers["client-token"];
  const isToken = family === "api" && token !== undefined && Object.hasOwn(input.fields, "client_token");
  const inHeaders = { place: "header", texts: isToken ? { client_token: token } : {} };
  const named = fillParameters(input, sent, { place: "path", texts: params, id: operation.id }, problems);
  const whole = fillParameters(input, named, inHeaders, problems);
  problems.assertNone();
  checkComplete(input, whole, "", problems);
  problems.assertNone();
  return whole;
}

function* withoutReserved(
  pairs: Iterable<readonly [name: string, value: string]>,
  reserved: readonly string[],
): Generator<readonly [name: string, value: string]> {
  for (const pair of pairs) if (!reserved.includes(pair[0])) yield pair;
}
