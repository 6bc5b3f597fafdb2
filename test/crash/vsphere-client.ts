// A client of VMware's face that is told where the server is now, and whose login and URLs are from before that.
import { Agent } from "node:http";
import { beginUpload, type OpenUpload, type TextAnswer, type UploadBody, uploadBody } from "../support/open-upload.js";
import { type VsphereClient, vsphereClient } from "../support/vsphere.js";

export interface Scripted {
  readonly vsphere: VsphereClient;
  /** Sends to a URL without credentials. */
  send(path: string, body: UploadBody, range?: string): Promise<TextAnswer>;
  begin(path: string, lengthBytes: number): OpenUpload;
  /** How much a file's URL says is there. */
  offsetAt(path: string): Promise<number>;
  /** What a URL for reading gives. */
  read(path: string): Promise<{ readonly status: number; readonly bytes: Uint8Array }>;
  close(): void;
}

export function openScripted(url: string, token: string): Scripted {
  const agent = new Agent({ keepAlive: true });
  const put = (path: string, range?: string) => ({
    method: "PUT",
    url: url + path,
    agent,
    ...(range !== undefined && { headers: { "content-range": range } }),
  });
  return {
    vsphere: vsphereClient(url, token),
    send: (path, body, range) => uploadBody(put(path, range), body),
    begin: (path, lengthBytes) => beginUpload(put(path), lengthBytes),
    async offsetAt(path) {
      const answer = await fetch(url + path);
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`the URL of an upload was answered with ${answer.status}: ${text}`);
      return (JSON.parse(text) as { bytes_transferred: number }).bytes_transferred;
    },
    async read(path) {
      const answer = await fetch(url + path);
      return { status: answer.status, bytes: new Uint8Array(await answer.arrayBuffer()) };
    },
    close: () => agent.destroy(),
  };
}

/** A URL without the address of the server, which another process answers under after a crash. */
export function pathOf(uri: string): string {
  return new URL(uri).pathname;
}
