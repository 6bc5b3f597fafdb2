import { describe, expect, it } from "vitest";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { thumbprintOf } from "../sources/thumbprint-of.js";
import { serve } from "../sources/web.js";
import { pseudoRandom } from "../support/bodies.js";
import { makeCertificate } from "../support/certificate.js";
import { refusalOf } from "../support/client.js";
import { type Declared, readBack, usePulls } from "./scene.js";

const content = pseudoRandom(200_000);

describe("a server that may reach public addresses only", () => {
  const pulls = usePulls(() => ({ SLIPWAY_PULL_ALLOW: "" }));

  it.each([
    ["loopback", ["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "0.0.0.0"]],
    ["loopback in decimal, octal, hexadecimal and short form", ["2130706433", "0177.0.0.1", "0x7f000001", "127.1"]],
    ["loopback in IPv6", ["[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"]],
    ["loopback behind NAT64 and 6to4", ["[64:ff9b::7f00:1]", "[2002:7f00:1::]"]],
    ["private", ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "[fd00::1]"]],
    ["private in other forms", ["167838211", "012.1.2.3", "0xc0a80001", "[::ffff:192.168.0.1]"]],
    ["link-local", ["169.254.1.1", "[fe80::1]"]],
    ["of cloud metadata", ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[fd00:ec2::254]"]],
    ["of nobody or of all", ["224.0.0.1", "255.255.255.255", "240.0.0.1", "[ff02::1]"]],
  ])("asks none that is %s", async (_title, hosts) => {
    const web = await serve((_request, response) => response.end(content));
    for (const host of hosts) {
      const failure = await pulls.failureOf(`http://${host}:${web.port}/a`);
      expect([host, failure.source]).toEqual([host, "ADDRESS_FORBIDDEN"]);
      expect(failure.message).toMatch(/is not a public address, and the server's setting SLIPWAY_PULL_ALLOW does not/);
    }
    expect(web.requests).toEqual([]);
  });

  it("tells its refusal to https just the same", async () => {
    const certificate = makeCertificate();
    const web = await serve((_request, response) => response.end(content), { tls: certificate });
    const source = { uri: web.url, sslCertificateThumbprint: thumbprintOf(certificate) };
    expect(await pulls.failureOf({ source })).toMatchObject({ source: "ADDRESS_FORBIDDEN" });
  });

  it("reads none of its own files", async () => {
    const failure = await pulls.failureOf("file:///etc/hostname");
    expect(failure).toMatchObject({ source: "OUTSIDE_ROOTS" });
    expect(failure.message).toContain("SLIPWAY_PULL_ROOTS");
  });

  it.each([
    ["ftp://example.com/a", "sources are http, https, file and ds, not"],
    ["gopher://example.com/a", "sources are http, https, file and ds, not"],
    ["data:text/plain,a", "sources are http, https, file and ds, not"],
    ["https://me:secret@example.com/a", "must not hold a user name or a password"],
    ["https://me@example.com/a", "must not hold a user name or a password"],
    ["file://me:secret@localhost/a", "must not hold a user name or a password"],
    ["/srv/a.bin", "it has no scheme"],
    ["https:///a", "it names no host"],
    ["https://exa mple.com/a", "it has a space"],
    ["https://example.com:99999/a", "is not a host and a port"],
    ["https://example.com:0/a", "port 0"],
    ["https://1.2.3.4.5/a", "is not a host and a port"],
    ["https://[::1/a", "is not a host and a port"],
    ["https://example.com/a\nb", "control character"],
    ["file://elsewhere/a", "is for this server's own files"],
    ["file:///a/../b", "segment `.` or `..`"],
    ["file:///a/%2e%2e/b", "segment `.` or `..`"],
    ["file:///a%2fb", "has a slash"],
    ["file:///a/", "ends with a slash"],
    ["ds:a", "no absolute path"],
  ])("does not take %j as a source", async (uri, sentence) => {
    const refused = await refusalOf(pulls.declare(uri));
    expect(refused).toMatchObject({ code: "INVALID_ARGUMENT", reason: "SOURCE_INVALID" });
    expect(refused.message).toContain(sentence);
    expect(refused.message).not.toContain("secret");
  });
});

describe("a server that may reach what its operator named", () => {
  const pulls = usePulls(() => ({ SLIPWAY_PULL_ALLOW: "localhost, 127.0.0.0/8, ::1" }));

  it.each(["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"])("fetches from %s", async (host) => {
    const web = await serve((_request, response) => response.end(content));
    const place = await pulls.declare(`http://${host}:${web.port}/a`);
    expect(await pulls.settled(place)).toMatchObject({ state: FileState.READY, committedOffset: 200_000n });
  });

  it("still reaches no other one", async () => {
    expect(await pulls.failureOf("http://10.0.0.1/a")).toMatchObject({ source: "ADDRESS_FORBIDDEN" });
  });
});

describe("a certificate", () => {
  const pulls = usePulls();
  const certificate = makeCertificate();
  const serveTls = (tls = certificate) => serve((_request, response) => response.end(content), { tls });
  const of = (uri: string, sslCertificateThumbprint: string): Declared => ({
    source: { uri, sslCertificateThumbprint },
  });

  it.each([
    ["SHA-1", thumbprintOf(certificate, "sha1")],
    ["SHA-256", thumbprintOf(certificate)],
    ["SHA-1 without colons", thumbprintOf(certificate, "sha1").replaceAll(":", "").toLowerCase()],
  ])("that signed itself is trusted by the %s thumbprint that was declared", async (_title, thumbprint) => {
    const web = await serveTls();
    const place = await pulls.declare(of(web.url, thumbprint));
    const file = await pulls.settled(place);
    expect(file.state).toBe(FileState.READY);
    const shown = file.spec?.source?.sslCertificateThumbprint.replaceAll(":", "").toLowerCase();
    expect(shown).toBe(thumbprint.replaceAll(":", "").toLowerCase());
    expect(Buffer.compare(await readBack(pulls.client(), place), content)).toBe(0);
  });

  it.each(["sha1", "sha256"] as const)(
    "that is another one than the %s thumbprint says is sent no request",
    async (algorithm) => {
      const other = makeCertificate();
      const web = await serveTls(other);
      const failure = await pulls.failureOf(of(web.url, thumbprintOf(certificate, algorithm)));
      expect(failure.source).toBe("THUMBPRINT_DIFFERS");
      expect(failure.message).toContain(thumbprintOf(other, algorithm));
      expect(failure.message).toContain(thumbprintOf(certificate, algorithm));
      expect(web.requests).toEqual([]);
    },
  );

  it("that nobody vouches for is not trusted, and its thumbprint is told", async () => {
    const web = await serveTls();
    const failure = await pulls.failureOf(web.url);
    expect(failure.source).toBe("CERTIFICATE_UNTRUSTED");
    expect(failure.message).toContain(`declare its thumbprint ${thumbprintOf(certificate)}`);
    expect(web.requests).toEqual([]);
  });

  it("is asked for again where a redirect leads", async () => {
    const other = await serveTls(makeCertificate());
    const web = await serve((_request, response) => response.writeHead(302, { location: other.url }).end(), {
      tls: certificate,
    });
    const failure = await pulls.failureOf(of(web.url, thumbprintOf(certificate)));
    expect(failure.source).toBe("THUMBPRINT_DIFFERS");
    expect(other.requests).toEqual([]);
  });

  it("is not shown by a server that speaks no TLS", async () => {
    const web = await serve((_request, response) => response.end(content));
    const failure = await pulls.failureOf(`https://127.0.0.1:${web.port}/`);
    expect(["TLS_FAILED", "UNREACHABLE"]).toContain(failure.source);
  });

  it.each(["12:34", "zz".repeat(20), "00".repeat(21), `${"00:".repeat(32)}00`, "sha256"])(
    "has no thumbprint like %s",
    async (thumbprint) => {
      const refused = await refusalOf(pulls.declare(of("https://127.0.0.1:1/a", thumbprint)));
      expect(refused).toMatchObject({ code: "INVALID_ARGUMENT", reason: "SOURCE_INVALID" });
      expect(refused.message).toContain("thumbprint");
    },
  );

  it.each(["file:///a", "ds:///a"])("has no thumbprint beside %s", async (uri) => {
    const refused = await refusalOf(pulls.declare(of(uri, thumbprintOf(certificate))));
    expect(refused).toMatchObject({ code: "INVALID_ARGUMENT", reason: "SOURCE_INVALID" });
  });
});
