import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  type Permission,
  parseSource,
  SourceError,
  type SourceFailure,
  type SourceFinding,
  sourceFailures,
  type Uploads,
} from "../../../src/core/index.js";
import type { VsphereCall } from "../../../src/rest/vsphere/call.js";
import { toVapiError } from "../../../src/rest/vsphere/errors.js";
import { createProbe } from "../../../src/rest/vsphere/probe.js";
import { makeCertificate } from "../../support/certificate.js";

const { cert } = makeCertificate();
const { raw, fingerprint, fingerprint256 } = new X509Certificate(cert);
const callWith = (...may: Permission[]) => ({ caller: { permissions: new Set(may) } }) as unknown as VsphereCall;
const call = callWith("upload");
const uri = "https://example.com/a.iso";

/** The handler over a core that finds this; `asked` holds what it was asked. */
function probing(finding: SourceFinding) {
  const asked: unknown[] = [];
  const probeSource: Uploads["probeSource"] = async (input) => {
    asked.push(input);
    return finding;
  };
  return { probe: createProbe({ probeSource }), asked };
}
const problem = (failure: SourceFailure, message = "it went wrong") => new SourceError(failure, message);
const id = (word: string) => `com.vmware.vdcs.cls-main.${word}`;

describe("probe", () => {
  it("answers SUCCESS with what an https server shows, and nothing of certificates for another", async () => {
    const secure = probing({ problem: undefined, certificate: raw });
    const source_endpoint = { uri, ssl_certificate: cert };
    expect(await secure.probe({ source_endpoint }, call)).toEqual({
      status: "SUCCESS",
      ssl_certificate: cert,
      ssl_thumbprint: fingerprint,
    });
    expect(secure.asked).toEqual([{ uri, thumbprint: fingerprint256 }]);
    const plain = probing({ problem: undefined, certificate: undefined });
    expect(await plain.probe({ source_endpoint: { uri } }, call)).toEqual({ status: "SUCCESS" });
  });

  it("is for those who may upload, and reads nothing of what others send", async () => {
    const { probe, asked } = probing({ problem: undefined, certificate: undefined });
    const source_endpoint = {
      get uri(): string {
        throw new Error("the URI was read");
      },
      get ssl_certificate(): string {
        throw new Error("the certificate was read");
      },
    };
    const refused = await Promise.resolve(probe({ source_endpoint }, callWith("read"))).catch(toVapiError);
    expect(refused).toMatchObject({ type: "unauthorized" });
    expect(asked).toEqual([]);
  });

  it.each(["certificate_untrusted", "thumbprint_differs"] as const)(
    "answers CERTIFICATE_ERROR with the certificate and the reason: %s",
    async (failure) => {
      const { probe } = probing({ problem: problem(failure, "it is not trusted"), certificate: raw });
      expect(await probe({ source_endpoint: { uri } }, call)).toEqual({
        status: "CERTIFICATE_ERROR",
        ssl_certificate: cert,
        ssl_thumbprint: fingerprint,
        error_messages: [
          {
            id: id("http_request_error_peer_not_authenticated"),
            default_message: "it is not trusted",
            args: ["it is not trusted"],
          },
        ],
      });
    },
  );

  it.each([
    ["nowhere", "invalid_url_format", "nowhere"],
    ["https://me:secret@example.com/a", "invalid_url_format", "https://example.com/a"],
    ["ftp://me:secret@example.com/a", "file_probe_unsupported_uri_scheme", "ftp://example.com/a"],
  ])("answers INVALID_URL with the URI but never with a password in it: %s", async (wrong, word, shown) => {
    const error = failureOf(wrong);
    const { probe } = probing({ problem: error, certificate: undefined });
    expect(await probe({ source_endpoint: { uri: wrong } }, call)).toEqual({
      status: "INVALID_URL",
      error_messages: [{ id: id(word), default_message: error.message, args: [shown] }],
    });
  });

  it("answers INVALID_URL with what went wrong for whatever else came of asking", async () => {
    const words = ["uri_malformed", "credentials_in_uri", "scheme_unsupported", "thumbprint_malformed"];
    const others = [...words, "thumbprint_unusable", "certificate_untrusted", "thumbprint_differs"];
    const asking = sourceFailures.filter((failure) => !others.includes(failure));
    expect(asking.length).toBe(sourceFailures.length - others.length);
    for (const failure of asking) {
      const { probe } = probing({ problem: problem(failure), certificate: undefined });
      expect(await probe({ source_endpoint: { uri } }, call)).toEqual({
        status: "INVALID_URL",
        error_messages: [{ id: id("http_request_error"), default_message: "it went wrong", args: ["it went wrong"] }],
      });
    }
  });

  it.each(["thumbprint_malformed", "thumbprint_unusable"] as const)(
    "refuses a pin that is none as an invalid argument: %s",
    async (failure) => {
      const { probe } = probing({ problem: problem(failure, "no such pin"), certificate: undefined });
      const refused = await probe({ source_endpoint: { uri, ssl_certificate_thumbprint: "AA" } }, call).catch(
        toVapiError,
      );
      expect(refused).toMatchObject({ type: "invalid_argument", message: "no such pin" });
    },
  );
});

function failureOf(wrong: string): SourceError {
  try {
    parseSource(wrong);
  } catch (error) {
    if (error instanceof SourceError) return error;
  }
  throw new Error(`${wrong} is fine`);
}
