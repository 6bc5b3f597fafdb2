import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  type Call,
  defaultLimits,
  type Permission,
  type Source,
  SourceError,
  type SourceFinding,
} from "../../src/core/index.js";
import { createProbeTurns } from "../../src/core/probe-turns.js";
import { type OpenedUploads, openUploads } from "../support/uploads.js";

const fine: SourceFinding = { problem: undefined, certificate: new Uint8Array([1]) };
let opened: OpenedUploads;
let asked: Source[];
let answer: (signal: AbortSignal) => Promise<SourceFinding>;

beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

function callWith(...may: Permission[]): Call {
  return { caller: { ...opened.alice.caller, permissions: new Set(may) } };
}

function start(maxPulls = 8) {
  asked = [];
  answer = async () => fine;
  const probe = (source: Source, signal: AbortSignal) => {
    asked.push(source);
    return answer(signal);
  };
  return opened.restart({ prober: { probe }, limits: { maxPulls } });
}

describe("probing a source", () => {
  it("asks it as it was declared, and tells what was found", async () => {
    const uploads = start();
    const thumbprint = "aa".repeat(20);
    expect(await uploads.probeSource({ uri: "HTTPS://Example.com", thumbprint }, opened.alice)).toBe(fine);
    expect(asked).toMatchObject([{ address: { uri: "https://example.com/" }, thumbprint: { algorithm: "sha1" } }]);
  });

  it.each([
    ["not an address", undefined, "uri_malformed"],
    ["ftp://example.com/a", undefined, "scheme_unsupported"],
    ["https://me:secret@example.com/", undefined, "credentials_in_uri"],
    ["https://example.com/", "AA:BB", "thumbprint_malformed"],
    ["file:///srv/a", "aa".repeat(20), "thumbprint_unusable"],
  ])("asks nobody where the words alone are wrong, and tells so: %s %s", async (uri, thumbprint, failure) => {
    const { problem, certificate } = await start().probeSource({ uri, thumbprint }, opened.alice);
    expect([problem?.failure, certificate, asked]).toEqual([failure, undefined, []]);
  });

  it("tells a problem that the prober throws instead of telling", async () => {
    const uploads = start();
    const problem = new SourceError("unreachable", "gone");
    answer = () => Promise.reject(problem);
    expect((await uploads.probeSource({ uri: "http://example.com" }, opened.alice)).problem).toBe(problem);
  });

  it("is for those who may upload, and of the server's own folders for those who may read them", async () => {
    const uploads = start();
    const denied = { code: "denied", details: { reason: "PERMISSION_MISSING" } };
    await expect(uploads.probeSource({ uri: "http://example.com" }, callWith("read"))).rejects.toMatchObject(denied);
    for (const uri of ["file:///srv/a", "ds:///vmfs/volumes/a/b"]) {
      await expect(uploads.probeSource({ uri }, callWith("read", "upload"))).rejects.toMatchObject(denied);
      expect(asked).toEqual([]);
      expect(await uploads.probeSource({ uri }, callWith("upload", "read_storage"))).toBe(fine);
      asked = [];
    }
  });

  it("lets the reason of an aborted call through, before and while it asks", async () => {
    const uploads = start();
    const call = (signal: AbortSignal) => ({ ...opened.alice, signal });
    const gone = new Error("gone");
    const probing = uploads.probeSource({ uri: "http://example.com" }, call(AbortSignal.abort(gone)));
    await expect(probing).rejects.toBe(gone);
    expect(asked).toEqual([]);
    const leaving = new AbortController();
    answer = (signal) => {
      leaving.abort(gone);
      return Promise.reject(signal.reason);
    };
    await expect(uploads.probeSource({ uri: "http://example.com" }, call(leaving.signal))).rejects.toBe(gone);
  });

  it("is a mistake of the program where the service was made without a prober", async () => {
    await expect(opened.uploads.probeSource({ uri: "http://example.com" }, opened.alice)).rejects.toThrow(TypeError);
  });
});

describe("probing many sources at once", () => {
  const asks = () => asked.map(({ address }) => address.uri);
  const ends: ((end: SourceFinding | Error) => void)[] = [];
  /** Every probe goes on until it is ended. */
  function startHeld(maxPulls: number) {
    const uploads = start(maxPulls);
    ends.length = 0;
    answer = () =>
      new Promise((resolve, reject) => ends.push((end) => (end instanceof Error ? reject(end) : resolve(end))));
    return (number: number, signal?: AbortSignal) =>
      uploads.probeSource({ uri: `http://example.com/${number}` }, { ...opened.alice, ...(signal && { signal }) });
  }
  const uris = (...numbers: number[]) => numbers.map((number) => `http://example.com/${number}`);

  it("asks as many as may be fetched from at once, and the others in their order as those end", async () => {
    const probe = startHeld(2);
    const probing = [1, 2, 3, 4].map((number) => probe(number));
    await vi.waitFor(() => expect(asks()).toEqual(uris(1, 2)));
    const broken = new Error("broken");
    ends[1]!(broken);
    await expect(probing[1]).rejects.toBe(broken);
    await vi.waitFor(() => expect(asks()).toEqual(uris(1, 2, 3)));
    for (const end of [0, 2]) ends[end]!(fine);
    await vi.waitFor(() => expect(asks()).toEqual(uris(1, 2, 3, 4)));
    ends[3]!(fine);
    expect(await Promise.all([probing[0], probing[2], probing[3]])).toEqual([fine, fine, fine]);
  });

  it("waits no longer than the call: its reason passes through, and the place is the next one's", async () => {
    const probe = startHeld(1);
    const first = probe(1);
    const leaving = new AbortController();
    const second = probe(2, leaving.signal);
    const third = probe(3);
    const gone = new Error("gone");
    leaving.abort(gone);
    await expect(second).rejects.toBe(gone);
    ends[0]!(fine);
    await first;
    await vi.waitFor(() => expect(asks()).toEqual(uris(1, 3)));
    ends[1]!(fine);
    expect(await third).toBe(fine);
  });

  it("is refused at once where 64 wait, by the name of the limit, and not for words that are wrong alone", async () => {
    const probe = startHeld(2);
    const leaving = new AbortController();
    const held = Array.from({ length: 66 }, (_, number) => probe(number, leaving.signal).catch(() => "gone"));
    const refusal = {
      code: "too_many",
      details: { reason: "TOO_MANY_PROBES", limit: { setting: "SLIPWAY_MAX_PULLS", value: 2 } },
    };
    await expect(probe(66)).rejects.toMatchObject(refusal);
    expect(asks()).toEqual(uris(0, 1));
    leaving.abort();
    for (const end of ends) end(fine);
    expect((await Promise.all(held)).filter((end) => end === "gone")).toHaveLength(64);
    const next = probe(67);
    await vi.waitFor(() => expect(asks()).toEqual(uris(0, 1, 67)));
    ends[2]!(fine);
    expect(await next).toBe(fine);
  });

  it("waits for so long and no longer, and is refused then", async () => {
    const turns = createProbeTurns({ ...defaultLimits, maxPulls: 1 }, 50);
    const { signal } = new AbortController();
    let end = (_: string) => {};
    const first = turns.take(() => new Promise<string>((resolve) => (end = resolve)), signal);
    await expect(turns.take(async () => "second", signal)).rejects.toMatchObject({ code: "too_many" });
    end("first");
    expect(await first).toBe("first");
    expect(await turns.take(async () => "third", signal)).toBe("third");
  });
});
