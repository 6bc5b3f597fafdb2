// What the tests of update sessions ask again and again: how something was refused, and who else there is.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import {
  openVsphere,
  sessionFiles,
  updateSessions,
  type VsphereClient,
  type VsphereFile,
  VsphereRefusal,
} from "../../support/vsphere.js";
import type { VsphereServer } from "./vsphere-server.js";

/** Status, type, the id of the first message and its arguments. */
export type Refused = readonly [status: number, type: string, id: string | undefined, args: readonly string[]];

/** How it was refused; fails when it was not. */
export async function refused(deed: Promise<unknown>): Promise<Refused> {
  const { status, type, messages } = await refusalOf(deed);
  const [first] = messages;
  // An error without a message helps nobody.
  if (first !== undefined && first.default_message === "") throw new Error(`${type} says nothing`);
  return [status, type, first?.id, first?.args ?? []];
}

export async function refusalOf(deed: Promise<unknown>): Promise<VsphereRefusal> {
  let answer: unknown;
  try {
    answer = await deed;
  } catch (error) {
    if (error instanceof VsphereRefusal) return error;
    throw error;
  }
  throw new Error(`it was not refused, it answered ${JSON.stringify(answer)}`);
}

/** What a URL of content answered that was no success, in the same words. */
export function refusedBy({ status, text }: { readonly status: number; readonly text: string }): Refused {
  const { type, value } = JSON.parse(text) as { type: string; value: { messages: { id: string; args: string[] }[] } };
  const [first] = value.messages;
  return [status, type.replace("com.vmware.vapi.std.errors.", ""), first?.id, first?.args ?? []];
}

export async function until<T>(ask: () => Promise<T>, holds: (value: T) => boolean, ms = 60_000): Promise<T> {
  const giveUpAt = performance.now() + ms;
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    if (performance.now() > giveUpAt) throw new Error(`it never came about: ${JSON.stringify(value)}`);
    await sleep(20);
  }
}

export interface Other {
  readonly vsphere: VsphereClient;
  readonly userId: string;
}

/** Somebody else who has just logged in; of another tenant, if one is named. */
export async function logInAs(scene: VsphereServer, role: Role, tenant = "default"): Promise<Other> {
  const { access } = scene.client;
  const { tenants } = await access.listTenants({});
  const there = tenants.find(({ name }) => name === tenant) ?? (await access.createTenant({ name: tenant })).tenant!;
  const name = `user-${randomUUID().slice(0, 8)}`;
  const password = "a password of somebody else";
  const { user } = await access.createUser({ tenantId: there.id, name, role, password });
  return { vsphere: await openVsphere(scene.server, { user: `${tenant}/${name}`, password }), userId: user!.id };
}

/** Everything that can be asked of a session, and of a file in it, by name. */
export function operationsOn(vsphere: VsphereClient, id: string): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    get: () => vsphere.session(id),
    keep_alive: () => vsphere.act(id, "keep-alive"),
    update: () => vsphere.value("PATCH", `${updateSessions}/id:${id}`, { update_spec: {} }),
    complete: () => vsphere.act(id, "complete"),
    cancel: () => vsphere.act(id, "cancel"),
    fail: () => vsphere.act(id, "fail", { client_error_message: "no more" }),
    delete: () => vsphere.value("DELETE", `${updateSessions}/id:${id}`),
    "file.add": () => vsphere.add(id, { name: "new.bin", source_type: "PUSH" }),
    "file.get": () => vsphere.file(id, "a.bin"),
    "file.list": () => vsphere.files(id),
    "file.remove": () => vsphere.remove(id, "a.bin"),
    "file.validate": () => vsphere.value("POST", `${sessionFiles}/id:${id}?~action=validate`),
  };
}

/** Where the content of a file that is to be pushed goes. */
export function uploadUrlOf(file: VsphereFile): string {
  if (file.upload_endpoint === undefined) throw new Error(`${file.name} has no upload_endpoint`);
  return file.upload_endpoint.uri;
}

export const namesOf = (files: readonly { readonly name: string }[]) => files.map(({ name }) => name).sort();
