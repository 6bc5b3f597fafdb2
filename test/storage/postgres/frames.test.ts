import { expect, test } from "vitest";
import {
  createFramer,
  endingStatus,
  queryMessage,
  syncMessage,
} from "../../../src/storage/postgres/embedded/frames.js";

const startup = Uint8Array.of(0, 0, 0, 9, 0, 3, 0, 0, 0);
const parse = Uint8Array.of(0x50, 0, 0, 0, 6, 1, 2);
const terminate = Uint8Array.of(0x58, 0, 0, 0, 4);
const whole = Buffer.concat([startup, queryMessage("select 1"), parse, syncMessage, terminate]);

test.each([1, 2, 3, 5, 7, 100])("a connection cut every %i bytes is framed as it was meant", (size) => {
  const framer = createFramer();
  const units = [];
  for (let at = 0; at < whole.length; at += size) units.push(...framer(whole.subarray(at, at + size)));
  expect(units.map(({ kind }) => kind)).toEqual(["startup", "exchange", "exchange", "terminate"]);
  expect(Buffer.concat(units.map(({ bytes }) => bytes))).toEqual(whole);
  expect(Buffer.concat([units[2]?.bytes ?? startup])).toEqual(Buffer.concat([parse, syncMessage]));
});

test("an answer ends with the transaction's status or was cut off", () => {
  const ready = (status: string) => Buffer.from([1, 2, 0x5a, 0, 0, 0, 5, status.charCodeAt(0)]);
  expect(["I", "T", "E"].map((status) => endingStatus(ready(status)))).toEqual(["I", "T", "E"]);
  expect(endingStatus(ready("I").subarray(0, 7))).toBeUndefined();
  expect(endingStatus(new Uint8Array(0))).toBeUndefined();
});
