import type { PGlite } from "@electric-sql/pglite";
import { concatBytes } from "./bytes.js";
import { createFramer, endingStatus, queryMessage, syncMessage, type Unit } from "./frames.js";

const sendBytes = 256 * 1024;

/** The one PostgreSQL backend of a PGlite, lent to one connection after the other. Calls must not overlap. */
export interface Backend {
  /** True when no transaction is open, so that upkeep may run. */
  isIdle(): boolean;
  /** Feeds a connection's bytes; answers go to `send` in pieces. Resolves to false when the client has said goodbye. */
  receive(chunk: Uint8Array, send: (bytes: Uint8Array<ArrayBuffer>) => void): Promise<boolean>;
  /** Ends a connection: its transaction is rolled back and nothing of its session is left for the next. */
  reset(): Promise<void>;
}

/**
 * `assertSound` is asked after each exchange, before its answer is believed. Whatever this throws means that the
 * backend is lost: PGlite swallows a crash of PostgreSQL and can only be recovered by opening the folder again.
 */
export function createBackend(database: PGlite, assertSound: () => void): Backend {
  let framer = createFramer();
  let status: "I" | "T" | "E" = "I";

  async function run(unit: Unit, send: (bytes: Uint8Array<ArrayBuffer>) => void): Promise<void> {
    let pieces: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    await database.execProtocolRawStream(unit.bytes, {
      syncToFs: false,
      onRawData: (bytes) => {
        if (size >= sendBytes) {
          send(concatBytes(pieces));
          pieces = [];
          size = 0;
        }
        pieces.push(bytes.slice() as Uint8Array<ArrayBuffer>);
        size += bytes.length;
      },
    });
    const answer = concatBytes(pieces);
    if (unit.kind === "exchange" || unit.kind === "startup") {
      assertSound();
      const ending = endingStatus(answer);
      if (ending === undefined) throw new Error("the embedded database broke off in the middle of a statement");
      status = ending;
    }
    send(answer);
  }

  return {
    isIdle: () => status === "I",
    async receive(chunk, send) {
      for (const unit of framer(chunk)) {
        if (unit.kind === "terminate") return false;
        await run(unit, send);
      }
      return true;
    },
    async reset() {
      framer = createFramer();
      for (const bytes of [syncMessage, queryMessage("rollback"), queryMessage("discard all")]) {
        await run({ kind: "exchange", bytes }, () => undefined);
      }
    },
  };
}
