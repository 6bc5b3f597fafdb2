// What needs the medium that bytes lie on, for a server that it is taken away from.
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { isStored, messagesOf, readBack as readBlob, refOf, upload } from "../../support/blob-messages.js";
import type { TestClient } from "../../support/client.js";
import { addFile, makeItem, publish, readBack, readItemFile, send, sendPart, statusOf, storeFile } from "../scene.js";

export interface StorageDeed {
  /** Is refused while the medium is away, and succeeds when it is back. */
  call(): Promise<unknown>;
  /** Holds after it was refused. */
  unchanged?(): Promise<void>;
}

type Prepare = (client: TestClient, content: Uint8Array<ArrayBuffer>) => Promise<StorageDeed>;

export const storageWrites: Readonly<Record<string, Prepare>> = {
  async UploadFile(client, content) {
    const place = await addFile(client);
    return {
      call: () => send(client, place, content),
      unchanged: async () => expect(await statusOf(client, place)).toBe(0),
    };
  },
  async UploadPart(client, content) {
    const place = await addFile(client);
    return {
      call: () => sendPart(client, place, 0, content, { finish: true }),
      unchanged: async () => expect(await statusOf(client, place)).toBe(0),
    };
  },
  async PutFile(client, data) {
    const label = randomUUID();
    return {
      call: () => client.files.putFile({ label, spec: { name: "a.bin" }, data }),
      unchanged: async () => expect((await client.sessions.listSessions({ label })).sessions).toEqual([]),
    };
  },
  async UploadBlobs(client, content) {
    return {
      call: () => upload(client, messagesOf(content)),
      unchanged: async () => expect(await isStored(client, refOf(content))).toBe(false),
    };
  },
};

/** All of it, and right. */
const all = (content: Uint8Array, read: () => Promise<Buffer>): StorageDeed => ({
  async call() {
    expect((await read()).equals(content)).toBe(true);
  },
});

/** What compares bytes that are sent again with those that are stored. */
export const storageRepeats: Readonly<Record<string, Prepare>> = {
  async UploadFile(client, content) {
    const place = await storeFile(client, content);
    return { call: () => send(client, place, content) };
  },
  async UploadPart(client, content) {
    const place = await storeFile(client, content);
    return { call: () => sendPart(client, place, 0, content, { finish: true }) };
  },
};

export const storageReads: Readonly<Record<string, Prepare>> = {
  async ReadFile(client, content) {
    const place = await storeFile(client, content);
    return all(content, () => readBack(client, place));
  },
  async ReadItemFile(client, content) {
    const { id: itemId } = await makeItem(client);
    await publish(client, itemId, { a: content });
    return all(content, () => readItemFile(client, { itemId, name: "a" }));
  },
  async ReadBlob(client, content) {
    await upload(client, messagesOf(content));
    return all(content, () => readBlob(client, refOf(content)));
  },
};
