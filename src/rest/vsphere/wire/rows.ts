import type { Row } from "../../kit/index.js";
import type { VsphereCall } from "../call.js";
import type { Served, VsphereFacts } from "../operation.js";
import type { VsphereServices } from "../services.js";
import { linesOf, type OperationLine } from "./lines.js";
import { readInput } from "./read-input.js";
import { writeResult } from "./write-result.js";

export type OperationRow = Row<VsphereServices, VsphereFacts, VsphereCall>;

/** The rows under which every operation of a table is found. */
export function createOperationRows(table: readonly Served[]): readonly OperationRow[] {
  return table.flatMap((served) => linesOf(served.operation).map((line) => createRow(served, line)));
}

function createRow(served: Served, { line, family }: OperationLine): OperationRow {
  const { operation, admits } = served;
  return {
    line,
    facts: { family, admits },
    async answer(services, request, call) {
      const result = await served.run(services, await readInput(operation, request), call);
      const answer = writeResult(operation, result, request.wire);
      return { ...answer, headers: { ...answer.headers, ...served.headers(result, call) } };
    },
  };
}
