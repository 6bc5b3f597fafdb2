/** Message types of the PostgreSQL frontend protocol that end what one call of the backend is given. */
const query = 0x51;
const sync = 0x53;
const flush = 0x48;
const terminate = 0x58;

export type Unit =
  | { readonly kind: "startup" | "flush" | "terminate"; readonly bytes: Uint8Array }
  /** Ends with a query or a sync, so its answer must end with ReadyForQuery. */
  | { readonly kind: "exchange"; readonly bytes: Uint8Array };

/**
 * Cuts a connection's bytes into what the backend is to run at once. Whatever is not whole is kept for the next call,
 * so the backend never waits for bytes in the middle of a message.
 */
export function createFramer(): (chunk: Uint8Array) => Unit[] {
  let rest: Uint8Array = new Uint8Array(0);
  let started = false;
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
    const units: Unit[] = [];
    let from = 0;
    let at = 0;
    while (at + 5 <= rest.length) {
      const type = started ? rest[at] : undefined;
      const end = started ? at + 1 + view.getUint32(at + 1) : at + view.getUint32(at);
      if (end > rest.length) break;
      at = end;
      const kind = unitKind(type);
      if (kind === undefined) continue;
      started = true;
      units.push({ kind, bytes: rest.subarray(from, end) });
      from = end;
    }
    rest = rest.slice(from);
    return units;
  };
}

function unitKind(type: number | undefined): Unit["kind"] | undefined {
  switch (type) {
    case undefined:
      return "startup";
    case query:
    case sync:
      return "exchange";
    case flush:
      return "flush";
    case terminate:
      return "terminate";
    default:
      return undefined;
  }
}

/** A simple query as the protocol wants it. */
export function queryMessage(sql: string): Uint8Array {
  const text = Buffer.from(`${sql}\0`);
  const message = Buffer.alloc(5 + text.length);
  message[0] = query;
  message.writeUInt32BE(4 + text.length, 1);
  text.copy(message, 5);
  return message;
}

export const syncMessage: Uint8Array = Uint8Array.of(sync, 0, 0, 0, 4);

/** The transaction status ("I" idle, "T" in one, "E" in a failed one) at the end of an answer; undefined if cut off. */
export function endingStatus(answer: Uint8Array): "I" | "T" | "E" | undefined {
  const [type, a, b, c, length, status] = answer.subarray(-6);
  if (type !== 0x5a || a !== 0 || b !== 0 || c !== 0 || length !== 5) return undefined;
  return status === 0x49 ? "I" : status === 0x54 ? "T" : status === 0x45 ? "E" : undefined;
}
