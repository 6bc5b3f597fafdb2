// IMiS/Storage Connector Services REST as a script speaks it: JSON on the documented paths with a bearer token, and
// content in parts. `logIn` gives a client; its deeds answer what the service answered, or throw `ImisRefusal` when that
// was no 200; `ask` answers whatever came, and `begin` leaves a body hanging. Whoever opens a client closes its sockets.
import { adminPassword } from "./server.js";
import { type Hanging, type HttpAnswer, type HttpRequest, type httpVersions, openHttp } from "./http.js";

export interface ImisAnswer extends HttpAnswer {
  readonly text: string;
}

export interface ImisAsk {
  /** An object goes as JSON, text and bytes as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ImisSession {
  readonly id: string;
  readonly offset?: number;
  readonly state?: "open" | "saved";
  readonly content_type?: string;
  readonly size?: number;
  readonly expires?: string;
  readonly parts?: number;
  readonly object?: { readonly id: string };
}

export interface ImisObject {
  readonly container_id: string;
  readonly id: string;
  readonly description: string;
  readonly size: number;
  readonly created: string;
  readonly accessed: string;
  readonly modified: string;
  readonly content_type: string;
  readonly extension: string;
  readonly effective_rights: {
    readonly create_access: boolean;
    readonly delete_access: boolean;
    readonly read_access: boolean;
    readonly write_access: boolean;
  };
  readonly child_count: number;
  readonly signed: boolean;
  readonly indexed: boolean;
  readonly parent_id: string;
  readonly sha256?: string;
}

/** What is said beside the bytes of a part. */
export interface PartWords {
  /** Behind the range: `0-9/TOTAL`. */
  readonly total?: number | "*";
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a client meets that asks for something and is told no. */
export class ImisRefusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly text: string,
    readonly details: Readonly<Record<string, unknown>>,
    readonly headers: Readonly<Record<string, string>>,
  ) {
    super(`${status} ${code}: ${text}`);
  }
}

export interface ImisClient {
  readonly url: string;
  readonly archive: string;
  readonly token: string;
  /** Below `/archives/{archive}/`, or anywhere with a slash in front. Whatever is answered. */
  ask(method: string, path: string, ask?: ImisAsk): Promise<ImisAnswer>;
  /** The JSON of a 200, undefined where it has no body; throws `ImisRefusal`. */
  value<T = void>(method: string, path: string, ask?: ImisAsk): Promise<T>;
  /** A request whose body of `length` bytes (undefined: chunked) goes as far as `sent`, and hangs. */
  begin(method: string, path: string, sent: Uint8Array, length?: number, headers?: ImisAsk["headers"]): Hanging;

  /** Closes the bearer session. */
  logOut(): Promise<void>;
  /** `entity`: `KIND:ID` or a plain id. Answers the handle. */
  openEntity(entity: string, mode?: string): Promise<string>;
  closeEntity(handle: string): Promise<void>;

  createSession(handle: string, words?: object, headers?: ImisAsk["headers"]): Promise<ImisSession>;
  /** The open ones of the entity. */
  sessions(handle: string): Promise<readonly ImisSession[]>;
  session(handle: string, sessionId: string): Promise<ImisSession>;
  putPart(
    handle: string,
    sessionId: string,
    offset: number,
    bytes: Uint8Array,
    words?: PartWords,
  ): Promise<ImisSession>;
  /** A part of `length` bytes of which only these come, and that hangs then. */
  beginPart(handle: string, sessionId: string, offset: number, length: number, sent: Uint8Array): Hanging;
  save(handle: string, sessionId: string, words?: object): Promise<ImisObject>;
  cancel(handle: string, sessionId: string): Promise<void>;
  /** All bytes in a session of their own, saved. */
  store(handle: string, bytes: Uint8Array, words?: { readonly content_type?: string }): Promise<ImisObject>;

  objects(handle: string): Promise<readonly ImisObject[]>;
  /** An object's content through a stream of its own. */
  read(handle: string, objectId: string): Promise<Uint8Array>;

  /** The sockets: nothing is said to the server. */
  close(): void;
}

export interface LoginWords {
  readonly archive: string;
  readonly user?: string;
  readonly password?: string;
  readonly version?: (typeof httpVersions)[number];
  /** What the body says beside the name and the password. */
  readonly more?: object;
}

/** Opens a bearer session; throws `ImisRefusal`. */
export async function logIn(server: { readonly url: string }, words: LoginWords): Promise<ImisClient> {
  const { archive, user = "admin", password = adminPassword, version, more = {} } = words;
  const nobody = imisClient(server.url, { archive, token: "", version });
  try {
    const body = { authentication: { username: user, password }, api_version: 6, ...more };
    const { token } = await nobody.value<{ token: string }>("POST", "session/open.json", { body });
    return imisClient(server.url, { archive, token, version });
  } finally {
    nobody.close();
  }
}

/** A client with a token, of which it shows nothing when it is empty. */
export function imisClient(
  url: string,
  of: { readonly archive: string; readonly token: string; readonly version?: LoginWords["version"] | undefined },
): ImisClient {
  const { archive, token, version = "1.1" } = of;
  const http = openHttp(url, version);
  const base = `/archives/${encodeURIComponent(archive)}/`;
  const credentials: Record<string, string> = token === "" ? {} : { authorization: `Bearer ${token}` };
  const target = (method: string, path: string, headers: ImisAsk["headers"] = {}): HttpRequest => ({
    method,
    path: path.startsWith("/") ? path : base + path,
    headers: { ...credentials, ...headers },
  });

  async function ask(method: string, path: string, { body, headers }: ImisAsk = {}): Promise<ImisAnswer> {
    const bytes = bytesOf(body);
    const answer = await http.ask({ ...target(method, path, headers), ...(bytes && { body: bytes }) });
    return { ...answer, text: answer.body.toString() };
  }
  async function value<T>(method: string, path: string, asked?: ImisAsk): Promise<T> {
    const answer = await ask(method, path, asked);
    if (answer.status !== 200) throw refusalFrom(answer);
    return (answer.text === "" ? undefined : JSON.parse(answer.text)) as T;
  }
  const begin: ImisClient["begin"] = (method, path, sent, length, headers) =>
    http.begin(target(method, path, headers), sent, length);
  const within = (handle: string, path: string) => `entities/H:${handle}/${path}`;
  const at = (handle: string, sessionId: string, path = "") => within(handle, `create_sessions/${sessionId}${path}`);
  const range = (offset: number, length: number, total?: number | "*") =>
    `${offset}-${offset + length - 1}${total === undefined ? "" : `/${total}`}`;
  const sessionIn = ({ session }: { readonly session: ImisSession }) => session;

  const client: ImisClient = {
    url,
    archive,
    token,
    ask,
    value,
    begin,

    logOut: () => value("POST", "session/close.json"),
    async openEntity(entity, mode) {
      const asked = mode === undefined ? "" : `?mode=${encodeURIComponent(mode)}`;
      const path = `entities/${encodeURIComponent(entity).replaceAll("%3A", ":")}/open.json${asked}`;
      return (await value<{ handle: string }>("POST", path)).handle;
    },
    closeEntity: (handle) => value("POST", within(handle, "close.json")),

    createSession: async (handle, words = { content_type: "audio/wav" }, headers = {}) =>
      sessionIn(await value("POST", within(handle, "create_sessions.json"), { body: words, headers })),
    sessions: async (handle) =>
      (await value<{ sessions: readonly ImisSession[] }>("GET", within(handle, "create_sessions.json"))).sessions,
    session: async (handle, sessionId) => sessionIn(await value("GET", at(handle, sessionId, ".json"))),
    async putPart(handle, sessionId, offset, bytes, { total, headers } = {}) {
      const words = { "content-range": range(offset, bytes.length, total), ...headers };
      return sessionIn(await value("PUT", at(handle, sessionId), { body: bytes, headers: words }));
    },
    beginPart: (handle, sessionId, offset, length, sent) =>
      begin("PUT", at(handle, sessionId), sent, length, { "content-range": range(offset, length) }),
    save: async (handle, sessionId, words) =>
      (await value<{ object: ImisObject }>("POST", at(handle, sessionId, "/save.json"), { body: words })).object,
    cancel: (handle, sessionId) => value("DELETE", at(handle, sessionId, ".json")),
    async store(handle, bytes, words) {
      const { id } = await client.createSession(handle, words);
      await client.putPart(handle, id, 0, bytes);
      return client.save(handle, id);
    },

    objects: async (handle) =>
      (await value<{ objects: readonly ImisObject[] }>("GET", within(handle, "objects.json"))).objects,
    async read(handle, objectId) {
      const place = within(handle, `objects/${encodeURIComponent(objectId)}/stream`);
      const { handle: stream } = await value<{ handle: string }>("GET", `${place}/open.json`);
      const answer = await ask("GET", `${place}/${stream}`, { headers: { range: "bytes=0-" } });
      if (answer.status !== 206 && answer.status !== 200) throw refusalFrom(answer);
      await value("GET", `${place}/${stream}/close.json`);
      return new Uint8Array(answer.body);
    },

    close: () => http.close(),
  };
  return client;
}

/** How it was refused; fails when it was not. */
export async function refusalOf(deed: Promise<unknown>): Promise<ImisRefusal> {
  let answer: unknown;
  try {
    answer = await deed;
  } catch (error) {
    if (error instanceof ImisRefusal) return error;
    throw error;
  }
  throw new Error(`it was not refused, it answered ${JSON.stringify(answer)}`);
}

/** An answer that is no success, in the one shape that refusals have. */
export function refusalFrom({ status, headers, text }: ImisAnswer): ImisRefusal {
  const { error } = JSON.parse(text) as {
    readonly error: { code: string; message: string; status: number; details: Record<string, unknown> };
  };
  if (error.status !== status) throw new Error(`the answer is ${status}, and its body says ${error.status}`);
  return new ImisRefusal(status, error.code, error.message, error.details, headers);
}

function bytesOf(body: unknown): Uint8Array | undefined {
  if (body === undefined || body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}
