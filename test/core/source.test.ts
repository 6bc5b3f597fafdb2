import { describe, expect, it } from "vitest";
import {
  computeThumbprint,
  formatSourceAddress,
  formatThumbprint,
  parseSource,
  SourceError,
  sourceFailures,
} from "../../src/core/index.js";

function failureOf(uri: string, thumbprint?: string): SourceError {
  try {
    parseSource(uri, thumbprint);
  } catch (error) {
    if (error instanceof SourceError) return error;
    throw error;
  }
  throw new Error(`${uri} was taken`);
}

describe("a source URI", () => {
  it.each([
    ["https://Files.Example.com/a b".replace(" ", "%20"), "https", "https://files.example.com/a%20b"],
    ["HTTP://files.example.com:80", "http", "http://files.example.com/"],
    ["http://2130706433/a?b=c#d", "http", "http://127.0.0.1/a?b=c"],
    ["http://[0:0::1]:8080/", "http", "http://[::1]:8080/"],
    ["https://bücher.example/ä", "https", "https://xn--bcher-kva.example/%C3%A4"],
  ])("of the web is taken in its normal form: %s", (uri, scheme, normal) => {
    expect(parseSource(uri).address).toEqual({ scheme, uri: normal });
  });

  it.each([
    ["file:///srv/images/a%20b.iso", "file", "/srv/images/a b.iso"],
    ["FILE://localhost/srv//images/%C3%A4", "file", "/srv/images/ä"],
    ["file:/srv/a", "file", "/srv/a"],
    ["ds:///vmfs/volumes/5f-1/a%23b", "ds", "/vmfs/volumes/5f-1/a#b"],
  ])("of a file is taken with its path: %s", (uri, scheme, path) => {
    expect(parseSource(uri).address).toEqual({ scheme, uri, path });
  });

  it.each([
    ["", /it has no scheme; give all of it/],
    ["files.example.com/a", /it has no scheme/],
    ["//files.example.com/a", /it has no scheme/],
    ["http:files.example.com", /it names no host/],
    ["http:/files.example.com", /it names no host/],
    ["http:///files.example.com", /it names no host/],
    ["https://", /it names no host/],
    ["http://a b/", /a space or a backslash/],
    ["http://files.example.com\\@inside/", /a space or a backslash/],
    ["http://files.example.com:99999/", /is not a host and a port/],
    ["http://files.example.com:0/", /port 0 cannot be reached/],
    ["http://1.2.3.4.5/", /is not a host and a port/],
    ["http://0x100000000/", /is not a host and a port/],
    ["http://[::1/", /is not a host and a port/],
    ["http://files%00.example/", /is not a host and a port/],
    ["http://fi\nles.example/", /a control character/],
    ["http://files.example/\ud800", /a control character or is not well-formed/],
    [`http://files.example/${"a".repeat(9000)}`, /it has 9021 characters, at most 8192/],
    ["file:srv/a", /it has no absolute path/],
    ["file://", /it has no absolute path/],
    ["file://server", /it has no absolute path/],
    ["file://server/share/a", /it names the host "server"; file: is for this server's own files/],
    ["file:///srv/../etc/passwd", /the segment `.` or `..`/],
    ["file:///srv/%2e%2e/etc/passwd", /the segment `.` or `..`/],
    ["ds:///srv/./a", /the segment `.` or `..`/],
    ["file:///srv/a%2Fb", /a name in its path has a slash/],
    ["file:///srv/a%00", /a name in its path has a control character/],
    ["file:///srv/a%ff", /a percent-escape that is no UTF-8/],
    ["file:///srv/a%", /a percent-escape that is no UTF-8/],
    ["file:///srv/a/", /ends with a slash/],
    ["file:///srv/a?b", /a query or a fragment/],
    ["file:///srv/a#b", /a query or a fragment/],
  ])("that is malformed is refused with one sentence: %j", (uri, sentence) => {
    const error = failureOf(uri);
    expect([error.failure, error.isFinal]).toEqual(["uri_malformed", true]);
    expect(error.message).toMatch(/^the source URI is malformed: /);
    expect(error.message).toMatch(sentence);
  });

  it.each([
    "ftp://a/b",
    "data:,a",
    "javascript:a",
    "gopher://a",
    "smb://a/b",
    "unix:/a",
    "http+unix://a",
    "blob:http://a",
  ])("of another scheme is refused: %s", (uri) => {
    const error = failureOf(uri);
    expect([error.failure, error.isFinal]).toEqual(["scheme_unsupported", true]);
    expect(error.message).toBe(`sources are http, https, file and ds, not ${JSON.stringify(uri.split(":")[0])}`);
  });

  it.each([
    "http://user:secret@files.example/",
    "https://secret@files.example/",
    "http://:secret@files.example/",
    "http://@files.example/",
    "http://a@b@files.example/",
    "file://secret@localhost/a",
    "ds://user:secret@/a",
  ])("with credentials is refused, and they are not repeated: %s", (uri) => {
    const error = failureOf(uri);
    expect([error.failure, error.isFinal]).toEqual(["credentials_in_uri", true]);
    expect(error.message).not.toContain("secret");
  });

  it("is shown without its query, and not at any length", () => {
    const show = (uri: string) => formatSourceAddress(parseSource(uri).address);
    expect(show("https://files.example/a?signature=secret#b")).toBe("https://files.example/a?...");
    expect(show(`https://files.example/${"a".repeat(1000)}`)).toHaveLength(200);
  });
});

describe("a certificate thumbprint", () => {
  const sha1 = "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D";
  const sha256 = "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";

  it.each([
    ["sha1", sha1],
    ["sha256", sha256],
  ] as const)("is taken as %s in either case, with and without colons, and written as usual", (algorithm, text) => {
    const expected = { algorithm, hex: text.replaceAll(":", "").toLowerCase() };
    for (const form of [text, text.toLowerCase(), text.replaceAll(":", ""), expected.hex]) {
      expect(parseSource("https://files.example/", form).thumbprint).toEqual(expected);
    }
    expect(formatThumbprint(expected)).toBe(text);
    expect(formatThumbprint(computeThumbprint(Buffer.from("abc"), algorithm))).toBe(text);
  });

  it("that is empty is none", () => {
    expect(parseSource("https://files.example/", "").thumbprint).toBeUndefined();
    expect(parseSource("http://files.example/", "").thumbprint).toBeUndefined();
  });

  it.each([
    "secret",
    "AA:BB",
    sha1.slice(0, -1),
    `${sha1}:00`,
    `${sha1}:`,
    sha1.replace(":", ""),
    sha1.replaceAll(":", "-"),
    sha1.replaceAll(":", " "),
    sha1.replace("A9", "G9"),
    ` ${sha1}`,
    `SHA1:${sha1}`,
    "A999:3E36:4706:816A:BA3E:2571:7850:C26C:9CD0:D89D",
  ])("that is malformed is refused: %j", (text) => {
    const error = failureOf("https://files.example/", text);
    expect([error.failure, error.isFinal]).toEqual(["thumbprint_malformed", true]);
    expect(error.message).toMatch(/is 20 bytes \(SHA-1\) or 32 bytes \(SHA-256\)/);
  });

  it("beside http is for where that leads to", () => {
    expect(parseSource("http://files.example/", sha1)).toMatchObject({ thumbprint: { algorithm: "sha1" } });
  });

  it.each(["file:///srv/a", "ds:///srv/a"])("beside %s is refused", (uri) => {
    const error = failureOf(uri, sha1);
    expect([error.failure, error.isFinal]).toEqual(["thumbprint_unusable", true]);
    expect(error.message).toMatch(
      /^a certificate thumbprint is only for https, or http that leads there, and the source URI is /,
    );
  });
});

describe("the failures of a source", () => {
  it("are worth a retry where time alone may help, and final otherwise", () => {
    const retry = sourceFailures.filter((failure) => !new SourceError(failure, "m").isFinal);
    expect(retry).toEqual(["not_ready", "unreachable", "timed_out", "changed", "ended_early"]);
  });
});
