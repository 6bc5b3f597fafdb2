import { randomBytes, randomUUID } from "node:crypto";
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import { SessionAccess } from "../../../gen/slipway/upload/v1/session_pb.js";
import { messagesOf, refOf, upload } from "../../support/blob-messages.js";
import { openClient, type TestClient } from "../../support/client.js";
import type { TestServer } from "../../support/server.js";
import {
  addSomebody,
  addStranger,
  makeItem,
  publish,
  readBack,
  readItemFile,
  type Somebody,
  startSession,
  storeFile,
} from "../scene.js";
import type { Names } from "./row.js";

/** Everyone who is strange to the victim's things. */
export const strangers = {
  colleague: "another owner of the tenant",
  reader: "a reader of the tenant",
  outsider: "the administrator of another tenant",
  operator: "the administrator of the tenant `default`",
} as const;

export type Stranger = keyof typeof strangers;

export interface Scene {
  readonly victim: Names;
  readonly strangers: Readonly<Record<Stranger, Pick<Somebody, "userId" | "token">>>;
  /** All that the victim and the victim's administrator can see. */
  look(): Promise<unknown>;
  close(): void;
}

/** Names of nothing. */
export function nothing(): Names {
  const content = randomBytes(100);
  return {
    tenantId: randomUUID(),
    tenantName: `tenant ${randomUUID()}`,
    userId: randomUUID(),
    userName: `user ${randomUUID()}`,
    tokenId: randomUUID(),
    libraryId: randomUUID(),
    libraryName: `library ${randomUUID()}`,
    itemId: randomUUID(),
    itemName: `item ${randomUUID()}`,
    alias: `alias ${randomUUID()}`,
    itemFileName: `item file ${randomUUID()}`,
    sessionId: randomUUID(),
    fileId: randomUUID(),
    label: `label ${randomUUID()}`,
    clientToken: `client token ${randomUUID()}`,
    doneSessionId: randomUUID(),
    doneFileId: randomUUID(),
    digest: refOf(content).digest,
    content: content.toString("hex"),
  };
}

/** Somebody with one of everything in a tenant of their own, and who is strange to them. */
export async function setScene(server: TestServer, operator: TestClient): Promise<Scene> {
  const keeper = await addStranger(operator);
  const { tenantId } = keeper;
  const colleague = await addSomebody(operator, { tenantId });
  const reader = await addSomebody(operator, { tenantId, role: Role.READER });
  const owner = await addSomebody(operator, { tenantId });
  const administrator = openClient({ ...server, ...keeper }, "grpc/2");
  const client = openClient({ ...server, ...owner }, "grpc/2");
  const { victim, look } = await giveThings(administrator, client, owner);
  return {
    victim,
    strangers: {
      colleague,
      reader,
      outsider: await addStranger(operator),
      operator: { userId: (await operator.access.whoAmI({})).user!.id, token: server.token },
    },
    look,
    close() {
      administrator.close();
      client.close();
    },
  };
}

async function giveThings(administrator: TestClient, client: TestClient, owner: Somebody) {
  const unreal = nothing();
  const { tenant } = await client.access.whoAmI({});
  const { library } = await administrator.catalog.createLibrary({ name: unreal.libraryName });
  const libraryId = library!.id;
  const aliases = [{ kind: "handle", value: unreal.alias }];
  const { id: itemId } = await makeItem(client, { libraryId, name: unreal.itemName, aliases });
  const content = Buffer.from(unreal.content, "hex");
  await publish(client, itemId, { [unreal.itemFileName]: content });
  const { label, clientToken } = unreal;
  await startSession(client, { itemId, access: SessionAccess.EXCLUSIVE, label, clientToken });
  const place = await storeFile(client, content, {}, (await startSession(client, { label })).id);
  const done = await storeFile(client, content);
  await client.sessions.completeSession({ sessionId: done.sessionId });
  await upload(client, messagesOf(content));

  const victim: Names = {
    ...unreal,
    tenantId: owner.tenantId,
    tenantName: tenant!.name,
    userId: owner.userId,
    userName: owner.name,
    tokenId: owner.tokenId,
    libraryId,
    itemId,
    sessionId: place.sessionId,
    fileId: place.fileId,
    doneSessionId: done.sessionId,
    doneFileId: done.fileId,
  };
  return {
    victim,
    look: async () => [
      ...(await Promise.all([
        client.sessions.listSessions({}),
        client.files.listFiles({ sessionId: place.sessionId }),
        client.files.listFiles({ sessionId: done.sessionId }),
        readBack(client, place),
        client.catalog.getItem({ itemId }),
        client.catalog.listItems({}),
        client.catalog.listItemFiles({ itemId }),
        readItemFile(client, { itemId, name: unreal.itemFileName }),
        client.catalog.listLibraries({}),
        client.blobs.listBlobs({}),
        administrator.access.listUsers({}),
      ])),
      // When a token was last used is noted meanwhile.
      (await administrator.access.listTokens({ userId: owner.userId })).accessTokens.map(({ id }) => id),
    ],
  };
}
