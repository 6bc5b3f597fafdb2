// Who may come in, over the real store and the real `Access`; requests are built by hand.
import { afterAll, beforeAll } from "vitest";
import { createAccess } from "../../../src/access/access.js";
import { createPasswords } from "../../../src/access/passwords.js";
import {
  type Access,
  createId,
  type MetadataStore,
  type Role,
  type Tenant,
  type User,
} from "../../../src/core/index.js";
import type { FolioGate } from "../../../src/rest/folio/admission.js";
import { FolioErrors, FolioRefusal } from "../../../src/rest/folio/errors.js";
import type { FolioFacts } from "../../../src/rest/folio/facts.js";
import { createFolioTokens, type FolioClaims, type FolioTokens } from "../../../src/rest/folio/tokens.js";
import type { WireRequest } from "../../../src/rest/kit/index.js";
import { connectDatabase } from "../../../src/storage/postgres/connect.js";
import { createMetadataStore } from "../../../src/storage/postgres/metadata-store.js";
import { migrate } from "../../../src/storage/postgres/migrate.js";
import { copyEmbeddedTemplate } from "../../support/embedded-template.js";

export const password = "a good password";
export const peer = { address: "192.0.2.1" };

export interface Member {
  readonly user: User;
  readonly tenant: Tenant;
}

export interface GateScene {
  readonly key: Uint8Array;
  readonly tokens: FolioTokens;
  access: Access;
  store: MetadataStore;
  diku: Tenant;
  elsewhere: Tenant;
  /** Of the tenant `diku`. */
  members: Record<Role, Member>;
  stranger: Member;
  /** Moves the clock by which what was looked up grows old. */
  elapse(ms: number): void;
  /** One of the server's own tokens. */
  tokenOf(member: Member, audience?: "rpc" | "folio"): Promise<{ readonly token: string; readonly id: string }>;
  /** One of this API's, around one of those. */
  signFor(member: Member, claims?: Partial<FolioClaims>): Promise<string>;
}

export function useGateScene(): GateScene {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const tokens = createFolioTokens({ key });
  const scene = { key, tokens } as GateScene;
  let now = 0;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const database = await connectDatabase({ dataDir: await copyEmbeddedTemplate(), poolSize: 1, durability: "os" });
    await migrate(database.knex);
    const store = createMetadataStore(database.knex);
    const passwords = createPasswords();
    const access = createAccess({
      store,
      passwords,
      tokenIdleTtlMs: 3_600_000,
      assertReady: () => undefined,
      onPasswordEnded: () => undefined,
      onFlushError: () => undefined,
      elapsed: () => now,
    });
    const digest = await passwords.hash(password);
    await store.createFirstAdministrator(digest);
    const addTenant = (name: string) => store.createTenant({ id: createId(), name });
    const addUser = (tenant: Tenant, name: string, role: Role) =>
      store.createUser({ id: createId(), tenantId: tenant.id, name, role, password: digest });
    const [diku, elsewhere] = [await addTenant("diku"), await addTenant("elsewhere")];
    Object.assign(scene, {
      access,
      store,
      diku,
      elsewhere,
      members: {
        reader: await addUser(diku, "diku_reader", "reader"),
        uploader: await addUser(diku, "diku_uploader", "uploader"),
        admin: await addUser(diku, "diku_admin", "admin"),
      },
      stranger: await addUser(elsewhere, "diku_admin", "admin"),
      elapse(ms: number) {
        now += ms;
      },
      async tokenOf({ user, tenant }, audience = "folio") {
        const login = `${tenant.name}/${user.name}`;
        const { token, accessToken } = await access.login({ login, password, label: "", audience }, peer);
        return { token, id: accessToken.id };
      },
      async signFor(member, claims = {}) {
        const { token } = claims.token === undefined ? await scene.tokenOf(member) : { token: claims.token };
        const { tenant, user } = member;
        const type = "access";
        return tokens.sign({
          type,
          tenantName: tenant.name,
          user,
          token,
          madeAt: new Date(),
          endsAt: undefined,
          ...claims,
        });
      },
    } satisfies Partial<GateScene>);
    close = async () => {
      await access.stop();
      await store.close();
      await database.close();
    };
  });
  afterAll(() => close());
  return scene;
}

export function buildRequest(of: Partial<WireRequest> = {}): WireRequest {
  return {
    method: "GET",
    path: "/data-import/uploadDefinitions",
    query: "",
    headers: {},
    httpVersion: "1.1",
    body: {
      async *[Symbol.asyncIterator]() {
        yield* [];
      },
    },
    signal: new AbortController().signal,
    origin: "https://slipway.example",
    peerAddress: peer.address,
    id: "",
    ...of,
  };
}

/** What is said to a request: who it is, or status and text of the refusal. */
export async function answerTo(gate: FolioGate, facts: FolioFacts, headers: WireRequest["headers"], path?: string) {
  try {
    const { call, user } = await gate.admit(buildRequest({ headers, ...(path !== undefined && { path }) }), facts);
    return { call, user };
  } catch (error) {
    return refusalOf(error);
  }
}

/** Throws on what is none. */
export function refusalOf(error: unknown) {
  if (error instanceof FolioRefusal) return [error.status, error.message];
  if (error instanceof FolioErrors) return [422, error.errors];
  throw error;
}
