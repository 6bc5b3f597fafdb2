// VMware's content library as a script speaks it: JSON over the paths of 6.x, logged in by name and password.
import { adminPassword } from "./server.js";

export interface VsphereAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface VsphereAsk {
  /** An object goes as JSON, text as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface VsphereMessage {
  readonly id: string;
  readonly default_message: string;
  readonly args: readonly string[];
}

export interface VsphereFile {
  readonly name: string;
  readonly source_type: "NONE" | "PUSH" | "PULL";
  readonly status: "WAITING_FOR_TRANSFER" | "TRANSFERRING" | "READY" | "VALIDATING" | "ERROR";
  readonly bytes_transferred: number;
  readonly size?: number;
  readonly checksum_info?: { readonly algorithm: string; readonly checksum: string };
  readonly upload_endpoint?: { readonly uri: string };
  readonly source_endpoint?: { readonly uri: string; readonly ssl_certificate_thumbprint?: string };
  readonly error_message?: VsphereMessage;
}

export interface VsphereSession {
  readonly id: string;
  readonly library_item_id: string;
  readonly library_item_content_version: string;
  readonly state: "ACTIVE" | "DONE" | "ERROR" | "CANCELED";
  readonly client_progress: number;
  readonly expiration_time: string;
  readonly error_message?: VsphereMessage;
  readonly preview_info?: { readonly state: string };
  readonly warning_behavior?: readonly { readonly type: string; readonly ignored: boolean }[];
}

/** What a client meets that asks for something and is told no. */
export class VsphereRefusal extends Error {
  constructor(
    readonly status: number,
    /** Without `com.vmware.vapi.std.errors.`. */
    readonly type: string,
    readonly messages: readonly VsphereMessage[],
  ) {
    super(`${status} ${type}: ${messages.map((message) => message.default_message).join("; ")}`);
  }
}

export const content = "/rest/com/vmware/content";
export const updateSessions = `${content}/library/item/update-session`;
export const sessionFiles = `${content}/library/item/updatesession/file`;
export const downloadSessions = `${content}/library/item/download-session`;
export const downloadFiles = `${content}/library/item/downloadsession/file`;

export interface VsphereClient {
  readonly url: string;
  readonly token: string;
  /** Whatever is answered. */
  ask(method: string, path: string, ask?: VsphereAsk): Promise<VsphereAnswer>;
  /** The value of a good answer of 6.x; throws `VsphereRefusal`. */
  value<T = void>(method: string, path: string, body?: unknown): Promise<T>;

  createLibrary(name: string, more?: object): Promise<string>;
  createItem(libraryId: string, name: string, more?: object): Promise<string>;
  createSession(itemId: string, clientToken?: string): Promise<string>;
  session(id: string): Promise<VsphereSession>;
  /** `complete`, `cancel`, `fail`, `keep-alive`. */
  act(sessionId: string, action: string, body?: unknown): Promise<void>;
  add(sessionId: string, spec: object): Promise<VsphereFile>;
  file(sessionId: string, name: string): Promise<VsphereFile>;
  files(sessionId: string): Promise<readonly VsphereFile[]>;
  remove(sessionId: string, name: string): Promise<void>;
  /** Sends all of a file's content, declared with its size; answers how it is then. */
  push(sessionId: string, name: string, bytes: Uint8Array, more?: object): Promise<VsphereFile>;
  item(id: string): Promise<{ readonly content_version: string; readonly size: number; readonly name: string }>;
  itemFiles(
    itemId: string,
  ): Promise<readonly { readonly name: string; readonly size: number; readonly version: string }[]>;
  /** The item's file through a download session of its own. */
  download(itemId: string, name: string): Promise<Uint8Array>;
}

/** PUT or POST without any credentials, as clients send content. */
export async function send(
  uri: string,
  bytes: Uint8Array | string,
  { method = "PUT", headers = {} }: { method?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<VsphereAnswer> {
  const response = await fetch(uri, { method, headers, body: bytes as NonNullable<RequestInit["body"]> });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export async function openVsphere(
  server: { readonly url: string },
  { user = "admin", password = adminPassword }: { readonly user?: string; readonly password?: string } = {},
): Promise<VsphereClient> {
  const basic = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const entered = await fetch(`${server.url}/rest/com/vmware/cis/session`, {
    method: "POST",
    headers: { authorization: basic, "vmware-use-header-authn": "test" },
  });
  if (entered.status !== 200) throw new Error(`the login was answered ${entered.status}: ${await entered.text()}`);
  const { value: token } = (await entered.json()) as { value: string };
  return vsphereClient(server.url, token);
}

export function vsphereClient(url: string, token: string): VsphereClient {
  async function ask(method: string, path: string, { body, headers = {} }: VsphereAsk = {}): Promise<VsphereAnswer> {
    const isText = typeof body === "string" || body === undefined;
    const response = await fetch(url + path, {
      method,
      headers: { "vmware-api-session-id": token, ...(!isText && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
  async function value<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { status, text } = await ask(method, path, { body });
    if (status === 200) return (text === "" ? undefined : JSON.parse(text).value) as T;
    throw refusalFrom(status, text);
  }
  const at = (service: string, id: string, action: string) => `${service}/id:${id}?~action=${action}`;
  const client: VsphereClient = {
    url,
    token,
    ask,
    value,
    createLibrary: (name, more = {}) =>
      value("POST", `${content}/local-library`, {
        create_spec: {
          name,
          type: "LOCAL",
          storage_backings: [{ type: "DATASTORE", datastore_id: "datastore-1" }],
          ...more,
        },
      }),
    createItem: (library_id, name, more = {}) =>
      value("POST", `${content}/library/item`, { create_spec: { library_id, name, ...more } }),
    createSession: (library_item_id, client_token) =>
      value("POST", updateSessions, { client_token, create_spec: { library_item_id } }),
    session: (id) => value("GET", `${updateSessions}/id:${id}`),
    act: (id, action, body) => value("POST", at(updateSessions, id, action), body),
    add: (id, file_spec) => value("POST", at(sessionFiles, id, "add"), { file_spec }),
    file: (id, file_name) => value("POST", at(sessionFiles, id, "get"), { file_name }),
    files: (id) => value("GET", `${sessionFiles}?update_session_id=${id}`),
    remove: (id, file_name) => value("POST", at(sessionFiles, id, "remove"), { file_name }),
    async push(id, name, bytes, more = {}) {
      const spec = { name, source_type: "PUSH", size: bytes.length, ...more };
      const { upload_endpoint: endpoint } = await client.add(id, spec);
      const { status, text } = await send(endpoint!.uri, bytes);
      if (status !== 200) throw refusalFrom(status, text);
      return client.file(id, name);
    },
    item: (id) => value("GET", `${content}/library/item/id:${id}`),
    itemFiles: (id) => value("GET", `${content}/library/item/file?library_item_id=${id}`),
    async download(library_item_id, file_name) {
      const id = await value<string>("POST", downloadSessions, { create_spec: { library_item_id } });
      await value("POST", at(downloadFiles, id, "prepare"), { file_name });
      const { download_endpoint: endpoint } = await value<{ download_endpoint: { uri: string } }>(
        "POST",
        at(downloadFiles, id, "get"),
        { file_name },
      );
      const response = await fetch(endpoint.uri);
      if (response.status !== 200) throw refusalFrom(response.status, await response.text());
      return new Uint8Array(await response.arrayBuffer());
    },
  };
  return client;
}

function refusalFrom(status: number, text: string): VsphereRefusal {
  const { type = "", value } = JSON.parse(text) as { type?: string; value?: { messages?: readonly VsphereMessage[] } };
  return new VsphereRefusal(status, type.replace("com.vmware.vapi.std.errors.", ""), value?.messages ?? []);
}
