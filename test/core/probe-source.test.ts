import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Call, type Permission, type Source, SourceError, type SourceFinding } from "../../src/core/index.js";
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

function start() {
  asked = [];
  answer = async () => fine;
  const probe = (source: Source, signal: AbortSignal) => {
    asked.push(source);
    return answer(signal);
  };
  return opened.restart({ prober: { probe } });
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
