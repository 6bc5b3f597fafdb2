import type { BodyReader } from "../body-reader.js";
import type { Hasher } from "../checksum.js";
import { UploadError } from "../error.js";
import type { Observer } from "../ports/observer.js";

/**
 * Compares what a part repeats, from `from` on, with the stored bytes (which end where the part begins to be new), and
 * leaves the new bytes unread. Answers how far the part came. Throws `conflict` (BYTES_DIFFER) at the first difference
 * (P4).
 */
export async function compareRepeat(
  reader: BodyReader,
  stored: AsyncIterable<Uint8Array>,
  from: number,
  digest: Hasher | undefined,
  observer: Pick<Observer, "resent">,
): Promise<number> {
  let at = from;
  let sent: Uint8Array = new Uint8Array(0);
  for await (let known of stored) {
    while (known.length > 0) {
      if (sent.length === 0) {
        const next = await reader.next();
        if (next === undefined) return at;
        sent = next;
      }
      const length = Math.min(sent.length, known.length);
      assertEqual(sent.subarray(0, length), known, at);
      observer.resent(length);
      digest?.update(sent.subarray(0, length));
      at += length;
      sent = sent.subarray(length);
      known = known.subarray(length);
    }
  }
  reader.unread(sent);
  return at;
}

function assertEqual(sent: Uint8Array, known: Uint8Array, at: number): void {
  for (let i = 0; i < sent.length; i++) {
    if (sent[i] !== known[i]) {
      throw new UploadError("conflict", `the part differs from the stored bytes at offset ${at + i}`, {
        reason: "BYTES_DIFFER",
      });
    }
  }
}
