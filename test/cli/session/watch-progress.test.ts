import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { SessionEventSchema, SessionEventType } from "../../../gen/slipway/upload/v1/event_pb.js";
import { createWatchProgress } from "../../../src/cli/session/watch-progress.js";

const wipe = "\r\u001b[2K";
const mib = 2 ** 20;

function open(isTTY: boolean, silent = false, env: Record<string, string> = {}) {
  const written: string[] = [];
  let time = 0;
  const out = { isTTY, columns: 60, write: (data: string | Uint8Array) => written.push(String(data)) };
  const progress = createWatchProgress({ err: out, env }, silent, () => time);
  return {
    progress,
    moved: (fileId: string, committedOffset: number) =>
      progress.moved([{ fileId, committedOffset: BigInt(committedOffset) }]),
    happened: (type: SessionEventType, fileId: string, fileName: string) =>
      progress.happened(create(SessionEventSchema, { type, fileId, fileName })),
    pass: (ms: number) => {
      time += ms;
    },
    take: () => written.splice(0),
    write: async (text: string) => void written.push(text),
  };
}

it("progress on a terminal is one line, drawn anew, which gives way to events and is wiped at the end", async () => {
  const { progress, moved, happened, pass, take, write } = open(true);
  happened(SessionEventType.FILE_ADDED, "a", "a\u001b.bin");
  moved("a", mib);
  expect(take()).toEqual([`${wipe}a\\x1b.bin under way: 1 MiB`]);
  pass(1000);
  moved("a", 3 * mib);
  expect(take()).toEqual([`${wipe}a\\x1b.bin under way: 3 MiB, 2 MiB/s`]);
  moved("b", mib);
  expect(take()[0]).toContain("2 files under way: 4 MiB");
  await progress.beside(() => write("an event\n"));
  expect(take()).toEqual([wipe, "an event\n", expect.stringContaining("2 files under way")]);
  happened(SessionEventType.FILE_READY, "b", "b");
  happened(SessionEventType.FILE_READY, "a", "a");
  await progress.beside(() => write("the last event\n"));
  expect(take()).toEqual([wipe, "the last event\n"]);
  moved("a", 4 * mib);
  take();
  progress.close();
  expect(take()).toEqual([wipe]);
});

it("progress elsewhere, and on terminals that cannot draw anew, is a line now and then, and none beside JSON", () => {
  const places = [open(false), open(true, false, { TERM: "dumb" }), open(true, false, { CI: "true" })];
  const silenced = [open(false, true), open(true, true)];
  for (const place of [...places, ...silenced]) {
    const { moved, pass, take } = place;
    for (let at = 1; at <= 12; at += 1) {
      pass(1000);
      moved("a", at * mib);
    }
    const lines = ["1 file under way: 5 MiB, 1 MiB/s\n", "1 file under way: 10 MiB, 1 MiB/s\n"];
    expect(take()).toEqual(silenced.includes(place) ? [] : lines);
  }
});
