import { SourceError } from "./source-error.js";

/**
 * Where content is pulled from, checked as far as that goes without asking anybody. It never holds a user name or a
 * password, but its query may be as good as one.
 */
export type SourceAddress =
  | {
      readonly scheme: "http" | "https";
      /** In its normal form: the host in lower case and ASCII, an address as its plain numbers, no fragment. */
      readonly uri: string;
    }
  | {
      readonly scheme: "file" | "ds";
      readonly uri: string;
      /** Decoded once, absolute, without empty, `.` and `..` segments. */
      readonly path: string;
    };

const maxUriLength = 8192;
// C0, DEL, C1 and what separates lines: a URL parser drops some of them, so that it would read another address.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * An absolute URI with one of the schemes http, https, file and ds. Throws `uri_malformed`, `scheme_unsupported` or
 * `credentials_in_uri`; whether it may be reached from here is for the adapters to say.
 */
export function parseSourceAddress(text: string): SourceAddress {
  assertSourceLength(text);
  if (!text.isWellFormed() || unprintable.test(text)) {
    throw malformed("it has a control character or is not well-formed Unicode");
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) throw malformed("it has no scheme; give all of it, such as https://host/file");
  switch (scheme) {
    case "http":
    case "https":
      return parseWebAddress(scheme, text);
    case "file":
    case "ds":
      return parsePathAddress(scheme, text);
    default:
      throw new SourceError(
        "scheme_unsupported",
        `sources are http, https, file and ds, not ${JSON.stringify(scheme.slice(0, 40))}`,
      );
  }
}

/** The address as people may see it: a query may hold a signature, so it is left out. At most 200 characters. */
export function formatSourceAddress(address: SourceAddress): string {
  const bare = address.uri.replace(/\?.*$/s, "?...");
  return bare.length > 200 ? `${bare.slice(0, 197)}...` : bare;
}

function parseWebAddress(scheme: "http" | "https", text: string): SourceAddress {
  const [, authority] = /^[a-z]+:\/\/([^/?#\\]*)/i.exec(text) ?? [];
  if (authority?.includes("@")) {
    throw new SourceError(
      "credentials_in_uri",
      "a source URI must not hold a user name or a password; give an address that can be read without them",
    );
  }
  if (!authority) throw malformed(`it names no host; give all of it, such as ${scheme}://host/file`);
  if (/[\s\\]/.test(text)) throw malformed("it has a space or a backslash; write them as %20 and %5C");
  if (!URL.canParse(text)) throw malformed(`${JSON.stringify(authority.slice(0, 100))} is not a host and a port`);
  const url = new URL(text);
  if (url.port === "0") throw malformed("port 0 cannot be reached");
  url.hash = "";
  // Its normal form is what is kept, and parsed again.
  assertSourceLength(url.href);
  return { scheme, uri: url.href };
}

function parsePathAddress(scheme: "file" | "ds", text: string): SourceAddress {
  const [, host = "", path] = /^[a-z]+:(?:\/\/([^/?#]*)|(?!\/\/))(\/.*)$/i.exec(text) ?? [];
  if (host.includes("@")) {
    throw new SourceError("credentials_in_uri", `a ${scheme}: URI must not hold a user name or a password`);
  }
  if (host !== "" && host.toLowerCase() !== "localhost") {
    throw malformed(
      `it names the host ${JSON.stringify(host.slice(0, 100))}; ${scheme}: is for this server's own files`,
    );
  }
  if (path === undefined) throw malformed(`it has no absolute path, such as ${scheme}:///folder/file`);
  if (/[?#]/.test(path)) throw malformed("it has a query or a fragment; write ? and # of a name as %3F and %23");
  const segments = path.split("/").map(decodeSegment);
  if (segments.at(-1) === "") throw malformed("it ends with a slash, which names a folder and not a file");
  return { scheme, uri: text, path: `/${segments.filter((segment) => segment !== "").join("/")}` };
}

/** Throws `uri_malformed` for what is too long to be an address, whatever it says. */
export function assertSourceLength(uri: string): void {
  if (uri.length <= maxUriLength) return;
  throw malformed(`it has ${uri.length} characters, at most ${maxUriLength} are allowed`);
}

function decodeSegment(segment: string): string {
  let name: string;
  try {
    name = decodeURIComponent(segment);
  } catch {
    throw malformed("it has a percent-escape that is no UTF-8; write a percent sign as %25");
  }
  if (name === "." || name === "..") throw malformed("its path has the segment `.` or `..`; give the plain path");
  if (name.includes("/")) throw malformed("a name in its path has a slash");
  if (unprintable.test(name)) throw malformed("a name in its path has a control character");
  return name;
}

function malformed(why: string): SourceError {
  return new SourceError("uri_malformed", `the source URI is malformed: ${why}`);
}
