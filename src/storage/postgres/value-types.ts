import pg from "pg";

const int8 = 20;
const int8Array = 1016;
const numeric = 1700;

type Parse = (text: string) => unknown;

/**
 * How a connection turns column values into JavaScript values: the driver's way, except that int8, arrays of it, and
 * numeric are numbers. One that a number cannot hold exactly fails the query.
 */
export const valueTypes: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: "text" | "binary"): Parse {
    const usual = pg.types.getTypeParser(oid, format as "text") as Parse;
    if (format === "binary") return usual;
    if (oid === int8 || oid === numeric) return parseNumber;
    if (oid === int8Array) return (text) => (usual(text) as unknown[]).map(numberFromElement);
    return usual;
  },
} as pg.CustomTypesConfig;

function numberFromElement(element: unknown): unknown {
  if (Array.isArray(element)) return element.map(numberFromElement);
  return element === null ? null : parseNumber(String(element));
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER))
    throw new RangeError(`the database value ${text} does not fit a number`);
  return value;
}
