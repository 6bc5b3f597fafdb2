import { describe, expect, it } from "vitest";
import { createWriterSeats } from "../../src/core/writer-seats.js";

const claim = (fileId: string, attemptNumber: number, epoch: number, sessionId = "s") => ({
  sessionId,
  fileId,
  epoch: { attemptNumber, epoch },
});
const superseded = expect.objectContaining({ code: "superseded", details: { reason: "WRITER_SUPERSEDED" } });

describe("a writer's seat (P7)", () => {
  it("is lost at once to a newer epoch and to a newer attempt", () => {
    const seats = createWriterSeats();
    const first = seats.take(claim("f", 1, 1));
    expect(first.signal.aborted).toBe(false);
    const second = seats.take(claim("f", 1, 2));
    expect(first.signal.reason).toEqual(superseded);
    const third = seats.take(claim("f", 2, 1));
    expect(second.signal.reason).toEqual(superseded);
    expect(third.signal.aborted).toBe(false);
  });

  it("is not given to a claim that a newer one has overtaken on the way", () => {
    const seats = createWriterSeats();
    const newer = seats.take(claim("f", 2, 1));
    const older = seats.take(claim("f", 1, 9));
    expect(older.signal.reason).toEqual(superseded);
    expect(newer.signal.aborted).toBe(false);
    older.leave();
    seats.evictFile("f");
    expect(newer.signal.aborted).toBe(true);
  });

  it("is one of its own for every file", () => {
    const seats = createWriterSeats();
    const one = seats.take(claim("f", 1, 1));
    const two = seats.take(claim("g", 1, 1));
    seats.evictFile("g");
    seats.evictFile("unknown");
    expect([one.signal.aborted, two.signal.aborted]).toEqual([false, true]);
  });

  it("is lost with all others of a session when that ends", () => {
    const seats = createWriterSeats();
    const taken = [
      seats.take(claim("f", 1, 1, "s")),
      seats.take(claim("g", 1, 1, "s")),
      seats.take(claim("h", 1, 1, "t")),
    ];
    seats.evictSession("s");
    expect(taken.map((seat) => seat.signal.aborted)).toEqual([true, true, false]);
    seats.evictSession("s");
  });

  it("that was left is free, and leaving late takes nothing from whoever came after", () => {
    const seats = createWriterSeats();
    const first = seats.take(claim("f", 1, 1));
    const second = seats.take(claim("f", 1, 2));
    first.leave();
    first.leave();
    seats.evictFile("f");
    expect(second.signal.aborted).toBe(true);
    const third = seats.take(claim("f", 1, 3));
    third.leave();
    seats.evictFile("f");
    seats.evictSession("s");
    expect(third.signal.aborted).toBe(false);
  });
});
