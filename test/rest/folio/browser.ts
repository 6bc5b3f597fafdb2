// A page in a browser: what its scripts may send and see of another origin (Fetch standard, CORS), and its cookies.
import { type Hanging, openHttp } from "../../support/http.js";

export interface PageRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** As fetch has it. Default: include. */
  readonly credentials?: "include" | "omit";
}

export interface Seen {
  readonly status: number;
  /** Those that scripts may see. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface Page {
  /** Throws what a browser would tell its developer, where it would not let the script send or see. */
  send(request: PageRequest): Promise<Seen>;
  /** Sends this much of a body of `length` bytes. */
  begin(request: PageRequest, sent: Uint8Array, length: number): Promise<Hanging>;
  readonly cookies: CookieJar;
  close(): void;
}

export interface CookieJar {
  /** By name, with what the server said of them. */
  readonly kept: Map<string, { readonly value: string; readonly path: string; readonly attributes: string }>;
}

const simpleMethods = ["GET", "HEAD", "POST"];
const simpleHeaders = ["accept", "accept-language", "content-language"];
const simpleTypes = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
const visible = ["cache-control", "content-language", "content-length", "content-type", "expires", "last-modified"];

const words = (header: string | undefined) => (header ?? "").split(",").map((word) => word.trim().toLowerCase());

export function openPage(url: string, origin: string): Page {
  const http = openHttp(url, "1.1");
  const kept: CookieJar["kept"] = new Map();

  function assertAllowed(headers: Readonly<Record<string, string>>, withCredentials: boolean): void {
    const { "access-control-allow-origin": allowed, "access-control-allow-credentials": credentials } = headers;
    const isAllowed = allowed === origin || (allowed === "*" && !withCredentials);
    if (!isAllowed) throw new Error(`blocked: the origin ${origin} is not allowed, but ${allowed}`);
    if (withCredentials && credentials !== "true") throw new Error("blocked: credentials are not allowed");
  }

  async function askBefore({ method, path, headers = {} }: PageRequest, withCredentials: boolean): Promise<void> {
    const isSimple = ([name, value]: [string, string]) =>
      simpleHeaders.includes(name) || (name === "content-type" && simpleTypes.includes(value));
    const unusual = Object.entries(headers).filter((header) => !isSimple(header));
    if (simpleMethods.includes(method) && unusual.length === 0) return;
    const names = unusual.map(([name]) => name).sort();
    const answer = await http.ask({
      method: "OPTIONS",
      path,
      headers: {
        origin,
        "access-control-request-method": method,
        ...(names.length > 0 && { "access-control-request-headers": names.join(",") }),
        "sec-fetch-mode": "cors",
        "sec-fetch-site": "same-site",
      },
    });
    if (answer.status < 200 || answer.status > 299) throw new Error(`blocked: the preflight got ${answer.status}`);
    assertAllowed(answer.headers, withCredentials);
    const methods = words(answer.headers["access-control-allow-methods"]);
    if (!simpleMethods.includes(method) && !methods.includes(method.toLowerCase())) {
      throw new Error(`blocked: ${method} is not allowed`);
    }
    const allowed = words(answer.headers["access-control-allow-headers"]);
    const forbidden = names.find((name) => !allowed.includes(name));
    if (forbidden !== undefined) throw new Error(`blocked: the header ${forbidden} is not allowed`);
  }

  function headersOf({ method, path, headers }: PageRequest, withCredentials: boolean): Record<string, string> {
    const cookies = [...kept].filter(([, cookie]) => isBelow(path.split("?")[0]!, cookie.path));
    const cookie = cookies.map(([name, { value }]) => `${name}=${value}`).join("; ");
    return {
      ...headers,
      origin,
      "sec-fetch-mode": "cors",
      "sec-fetch-site": "same-site",
      ...(withCredentials && cookie !== "" && { cookie }),
      ...(method === "POST" && { referer: `${origin}/` }),
    };
  }

  function keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = "", value = "", attributes = ""] = /^([^=]+)=([^;]*)(.*)$/.exec(line) ?? [];
      const path = /; Path=([^;]+)/.exec(attributes)?.[1] ?? "/";
      if (/; Max-Age=0(;|$)/.test(attributes)) kept.delete(name);
      else kept.set(name, { value, path, attributes });
    }
  }

  return {
    cookies: { kept },
    async send(request) {
      const withCredentials = request.credentials !== "omit";
      await askBefore(request, withCredentials);
      const { method, path, body } = request;
      const answer = await http.ask({
        method,
        path,
        headers: headersOf(request, withCredentials),
        ...(body !== undefined && { body: typeof body === "string" ? Buffer.from(body) : body }),
      });
      // Node gives them as a list.
      const lines = answer.headers["set-cookie"] as unknown as readonly string[] | undefined;
      if (withCredentials) keep(lines ?? []);
      assertAllowed(answer.headers, withCredentials);
      const exposed = [...visible, ...words(answer.headers["access-control-expose-headers"])];
      const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => exposed.includes(name)));
      return { status: answer.status, headers, text: answer.body.toString() };
    },
    async begin(request, sent, length) {
      await askBefore(request, true);
      const { method, path } = request;
      return http.begin({ method, path, headers: headersOf(request, true) }, sent, length);
    },
    close: () => http.close(),
  };
}

function isBelow(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}
