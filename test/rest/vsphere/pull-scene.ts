// Update sessions whose files are fetched, and what a client sees while and after they are.
import { setTimeout as sleep } from "node:timers/promises";
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import { serve } from "../../sources/web.js";
import { pseudoRandom } from "../../support/bodies.js";
import type { Certificate } from "../../support/certificate.js";
import {
  openVsphere,
  type VsphereClient,
  type VsphereFile,
  VsphereRefusal,
  type VsphereSession,
} from "../../support/vsphere.js";
import type { VsphereServer } from "./vsphere-server.js";

/** What every source here serves, unless told otherwise. */
export const content = pseudoRandom(300_000);

const text = (word: string) => new TextEncoder().encode(word);

export async function until<T>(ask: () => Promise<T> | T, holds: (value: T) => boolean): Promise<T> {
  const giveUpAt = performance.now() + 60_000;
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    if (performance.now() > giveUpAt) throw new Error(`it never came about: ${JSON.stringify(value)}`);
    await sleep(20);
  }
}

/** The session once it is no longer ACTIVE. */
export function ended(vsphere: VsphereClient, sessionId: string): Promise<VsphereSession> {
  return until(
    () => vsphere.session(sessionId),
    ({ state }) => state !== "ACTIVE",
  );
}

/** The file once its transfer is over. */
export function settled(vsphere: VsphereClient, sessionId: string, name = "a.iso"): Promise<VsphereFile> {
  return until(
    () => vsphere.file(sessionId, name),
    ({ status }) => status === "READY" || status === "ERROR",
  );
}

export async function refusalOf(work: Promise<unknown>): Promise<VsphereRefusal> {
  try {
    await work;
  } catch (error) {
    if (error instanceof VsphereRefusal) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

/** A new item with two files, one of which is to be replaced, and a session on it. */
export async function openSession({ vsphere, item }: VsphereServer, opener = vsphere) {
  const itemId = await item({ "a.iso": text("as it was"), "kept.txt": text("kept") });
  const sessionId = await opener.createSession(itemId);
  return { itemId, sessionId };
}

/** All that is to be seen of an item. */
export async function lookAt({ vsphere }: Pick<VsphereServer, "vsphere">, itemId: string) {
  const { content_version: contentVersion, size } = await vsphere.item(itemId);
  const files: Record<string, unknown> = {};
  for (const { name, version } of await vsphere.itemFiles(itemId)) {
    files[name] = { version, content: Buffer.from(await vsphere.download(itemId, name)).toString("latin1") };
  }
  return { contentVersion, size, files };
}

/** A source that answers with all of it. */
export function serveContent(bytes: Uint8Array = content, tls?: Certificate) {
  const options = tls === undefined ? {} : { tls };
  return serve((_request, response) => response.writeHead(200, { "content-length": bytes.length }).end(bytes), options);
}

/** A source that leads elsewhere. */
export function serveRedirect(location: string) {
  return serve((_request, response) => response.writeHead(302, { location }).end());
}

/** A source that gives the half of it, and the rest when it is released. */
export async function serveHeld(bytes: Uint8Array = content) {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let isLeft = false;
  const web = await serve(async (_request, response) => {
    response.once("close", () => {
      isLeft ||= !response.writableFinished;
    });
    response.writeHead(200, { "content-length": bytes.length });
    response.write(bytes.subarray(0, bytes.length / 2));
    await released;
    response.end(bytes.subarray(bytes.length / 2));
  });
  return {
    url: `${web.url}/a.iso`,
    release,
    /** Once it is asked, and the half of it has come. */
    underWay: (vsphere: VsphereClient, sessionId: string) =>
      until(
        () => vsphere.file(sessionId, "a.iso"),
        ({ bytes_transferred: came }) => came >= bytes.length / 2,
      ),
    /** Once whoever asked has let go of it before its end. */
    left: () => until(() => isLeft, Boolean),
  };
}

/** Somebody of the same tenant who may do less. */
export async function openMember({ server, client }: VsphereServer, name: string, role: Role): Promise<VsphereClient> {
  const password = "a password of a member";
  await client.access.createUser({ name, password, role });
  return openVsphere(server, { user: name, password });
}

/** The administrator of a tenant of their own, who keeps nothing of the server. */
export async function openTenant({ server, client }: VsphereServer, name: string): Promise<VsphereClient> {
  const password = "a password of a tenant";
  const { tenant } = await client.access.createTenant({ name });
  await client.access.createUser({ tenantId: tenant!.id, name: "keeper", password, role: Role.ADMIN });
  return openVsphere(server, { user: `${name}/keeper`, password });
}
