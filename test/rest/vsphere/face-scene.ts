// Who may come in, and what they may do then, over the real stores and the real `Access`; requests are built by hand.
import { afterAll, beforeAll } from "vitest";
import { createAccess } from "../../../src/access/access.js";
import { createCapabilities } from "../../../src/access/capabilities.js";
import { createPasswords } from "../../../src/access/passwords.js";
import { type Access, createId, type Role, type Tenant, type User } from "../../../src/core/index.js";
import { createAdmission, loginHeader } from "../../../src/rest/vsphere/admission.js";
import type { VsphereCall } from "../../../src/rest/vsphere/call.js";
import { createDataUrls, type DataUrls } from "../../../src/rest/vsphere/data-urls.js";
import { toVapiError } from "../../../src/rest/vsphere/errors.js";
import { createLogins } from "../../../src/rest/vsphere/logins/logins.js";
import type { VsphereFacts } from "../../../src/rest/vsphere/operation.js";
import type { WireRequest } from "../../../src/rest/kit/index.js";
import { type OpenedUploads, openUploads } from "../../support/uploads.js";

export const password = "a good password";
export const friend = "https://vsphere.example";
export const origin = "https://slipway.example";

export interface Member {
  readonly user: User;
  readonly tenant: Tenant;
}

export interface FaceScene {
  opened: OpenedUploads;
  access: Access;
  dataUrls: DataUrls;
  admit: ReturnType<typeof createAdmission>;
  logins: ReturnType<typeof createLogins>;
  /** Of the tenant `default`. */
  members: Record<Role | "other", Member>;
  stranger: Member;
  /** Moves the clock by which what was looked up grows old, and the one that deadlines are read off. */
  elapse(ms: number): void;
  now(): Date;
  tokenOf(member: Member, audience?: "rpc" | "vsphere"): Promise<{ readonly token: string; readonly id: string }>;
  /** As somebody who has just logged in. */
  callOf(member: Member): Promise<VsphereCall>;
  /** The principal of an administrator, for what they do. */
  administrator(): ReturnType<Access["principalOf"]>;
}

export function useFace(options: { readonly tokenIdleTtlMs?: number } = {}): FaceScene {
  const scene = {} as FaceScene;
  let aheadMs = 0;
  const startedAt = performance.now();
  let close: () => Promise<void>;
  beforeAll(async () => {
    const opened = await openUploads();
    const store = opened.metadata;
    const passwords = createPasswords();
    const access = createAccess({
      store,
      passwords,
      tokenIdleTtlMs: options.tokenIdleTtlMs ?? 3_600_000,
      assertReady: () => undefined,
      onPasswordEnded: () => undefined,
      onFlushError: () => undefined,
      elapsed: () => performance.now() - startedAt + aheadMs,
    });
    const digest = await passwords.hash(password);
    const defaultTenant = (await store.findTenantByName("default"))!;
    const elsewhere = (await store.findTenantByName("elsewhere"))!;
    const addUser = (tenant: Tenant, name: string, role: Role) =>
      store.createUser({ id: createId(), tenantId: tenant.id, name, role, password: digest });
    const now = () => new Date(Date.now() + aheadMs);
    const capabilities = createCapabilities({ key: crypto.getRandomValues(new Uint8Array(32)) });
    const dataUrls = createDataUrls({ capabilities, now });
    const admin = await addUser(defaultTenant, "vi_admin", "admin");
    Object.assign(scene, {
      opened,
      access,
      dataUrls,
      admit: createAdmission({ access, dataUrls, origins: [friend] }),
      logins: createLogins({ access }),
      members: {
        reader: await addUser(defaultTenant, "vi_reader", "reader"),
        uploader: await addUser(defaultTenant, "vi_uploader", "uploader"),
        other: await addUser(defaultTenant, "vi_other", "uploader"),
        admin,
      },
      stranger: await addUser(elsewhere, "vi_admin", "admin"),
      elapse(ms) {
        aheadMs += ms;
      },
      now,
      async tokenOf({ user, tenant }, audience = "vsphere") {
        const login = `${tenant.name}/${user.name}`;
        const { token, accessToken } = await access.login({ login, password, label: "", audience }, peer);
        return { token, id: accessToken.id };
      },
      async callOf(member) {
        const { token } = await scene.tokenOf(member);
        const request = buildRequest({ headers: { [loginHeader]: token } });
        return (await scene.admit(request, { family: "rest", admits: "login" })).call;
      },
      administrator: () => access.principalOf({ tenantId: admin.tenant.id, userId: admin.user.id }),
    } satisfies Partial<FaceScene>);
    close = async () => {
      await access.stop();
      await opened.close();
    };
  });
  afterAll(() => close());
  return scene;
}

const peer = { address: "192.0.2.1" };

export function buildRequest(of: Partial<WireRequest> = {}): WireRequest {
  return {
    method: "GET",
    path: "/rest/com/vmware/cis/session",
    query: "",
    headers: {},
    httpVersion: "1.1",
    body: {
      async *[Symbol.asyncIterator]() {
        yield* [];
      },
    },
    signal: new AbortController().signal,
    origin,
    peerAddress: peer.address,
    id: "",
    ...of,
  };
}

export const facts = (admits: VsphereFacts["admits"], family: VsphereFacts["family"] = "rest"): VsphereFacts => ({
  admits,
  family,
});

/** What is refused, in the API's words; throws what nobody foresaw. */
export async function refusalOf(promise: Promise<unknown>) {
  try {
    await promise;
  } catch (error) {
    const refused = toVapiError(error);
    if (refused === undefined) throw error;
    const { type, messages, status } = refused;
    return { type, id: messages[0].id, text: messages[0].default_message, args: messages[0].args, status };
  }
  throw new Error("it was not refused");
}
