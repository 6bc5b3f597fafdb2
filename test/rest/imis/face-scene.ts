// The face as the port serves it, over the real stores and the real `Access`, in this process. What other parts of the
// face are needed than logins and entities a test file brings along by `services`.
import { setMaxListeners } from "node:events";
import { afterAll, beforeAll } from "vitest";
import { createAccess } from "../../../src/access/access.js";
import { createPasswords } from "../../../src/access/passwords.js";
import {
  type Access,
  createId,
  type Deadlines,
  type Item,
  type Library,
  type Role,
  type Tenant,
  type Uploads,
  type User,
} from "../../../src/core/index.js";
import { createAdmission } from "../../../src/rest/imis/admission.js";
import type { ImisCall } from "../../../src/rest/imis/call.js";
import { createImisDialect } from "../../../src/rest/imis/dialect.js";
import { createEntities, type Entities } from "../../../src/rest/imis/entities/entities.js";
import type { ImisLimits } from "../../../src/rest/imis/limits.js";
import { createLogins } from "../../../src/rest/imis/logins/logins.js";
import type { ImisServices } from "../../../src/rest/imis/services.js";
import { createDialectHandler, type WireRequest } from "../../../src/rest/kit/index.js";
import { createDrain } from "../../../src/server/drain.js";
import { listen } from "../../../src/server/listen.js";
import { createRequestReader } from "../../../src/server/node-http.js";
import { createWireHandler } from "../../../src/server/wire-http.js";
import { type ImisClient, imisClient, logIn, type LoginWords } from "../../support/imis.js";
import { type OpenedUploads, openUploads } from "../../support/uploads.js";

export const password = "a good password";
export const peer = { address: "192.0.2.1" };
export const hour = 3_600_000;

/** The archive of the tests. */
export const archive = "IARC";

export const generousLimits: ImisLimits = {
  maxObjectBytes: 2 ** 40,
  maxPartBytes: 2 ** 40,
  minPartBytes: 0,
  maxHandleSessions: 100,
  maxUserSessions: 1_000,
  maxTombstones: 10_000,
  maxHandles: 1_000,
  maxStreams: 100,
};

export const usualDeadlines: Deadlines = {
  idleTtlMs: 24 * hour,
  absoluteTtlMs: 7 * 24 * hour,
  keepTerminalMs: 24 * hour,
};

export interface Member {
  readonly user: User;
  readonly tenant: Tenant;
}

/** What other parts of the face are made of. */
export interface FaceParts {
  readonly uploads: Uploads;
  readonly access: Access;
  readonly entities: Entities;
  readonly limits: ImisLimits;
  readonly deadlines: Deadlines;
  readonly now: () => Date;
}

export interface FaceOptions {
  readonly limits?: Partial<ImisLimits>;
  readonly deadlines?: Partial<Deadlines>;
  readonly tokenIdleTtlMs?: number;
  readonly services?: (parts: FaceParts) => Partial<ImisServices>;
}

/** One process that serves the face. */
export interface FaceProcess extends FaceParts {
  readonly url: string;
  readonly logins: ImisServices["logins"];
  readonly admit: ReturnType<typeof createAdmission>;
  /** Ends what is under way there, and stops listening. */
  stop(): Promise<void>;
}

export interface FaceScene extends FaceProcess {
  readonly opened: OpenedUploads;
  /** Of the tenant `default`. */
  readonly members: Record<Role | "other", Member>;
  /** An administrator of another tenant, which has an archive of the same name. */
  readonly stranger: Member;
  readonly library: Library;
  /** What was logged because nobody foresaw it. */
  readonly unexpected: unknown[];
  /** Moves the clocks: the one by which what was looked up grows old, and the one that deadlines are read off. */
  elapse(ms: number): void;
  /** Another process over the same stores, with nothing in its memory. */
  startProcess(uploads?: (uploads: Uploads) => Uploads): Promise<FaceProcess>;
  /** Somebody who has just logged in, over a socket of their own that is closed in the end. */
  client(member?: Member, words?: Partial<LoginWords>, process?: FaceProcess): Promise<ImisClient>;
  /** The same without a login. */
  nobody(token?: string): ImisClient;
  /** The call of somebody who has just logged in. */
  callOf(member: Member): Promise<ImisCall>;
  tokenOf(member: Member, audience?: "rpc" | "imis"): Promise<{ readonly token: string; readonly id: string }>;
  /** An item of the archive. */
  makeEntity(more?: Partial<Parameters<Uploads["createItem"]>[0]>): Promise<Item>;
  /** The principal of an administrator, for what they do. */
  administrator(): ReturnType<Access["principalOf"]>;
}

export function loginNameOf({ tenant, user }: Member): string {
  return `${tenant.name}/${user.name}`;
}

export function useFace(options: FaceOptions = {}): FaceScene {
  const scene = {} as FaceScene;
  const closing: (() => unknown)[] = [];
  const unexpected: unknown[] = [];
  const limits = { ...generousLimits, ...options.limits };
  const deadlines = { ...usualDeadlines, ...options.deadlines };
  let aheadMs = 0;
  const startedAt = performance.now();
  const now = () => new Date(Date.now() + aheadMs);

  beforeAll(async () => {
    const opened = await openUploads();
    closing.push(opened.close);
    const store = opened.metadata;
    const passwords = createPasswords();
    const digest = await passwords.hash(password);

    async function startProcess(wrap = (uploads: Uploads) => uploads): Promise<FaceProcess> {
      const uploads = wrap(opened.restart());
      const access = createAccess({
        store,
        passwords,
        tokenIdleTtlMs: options.tokenIdleTtlMs ?? 12 * hour,
        assertReady: () => undefined,
        onPasswordEnded: () => undefined,
        onFlushError: (error) => unexpected.push(error),
        elapsed: () => performance.now() - startedAt + aheadMs,
      });
      const entities = createEntities({ uploads, limits, deadlines, now });
      const logins = createLogins({ access, uploads, entities });
      const parts: FaceParts = { uploads, access, entities, limits, deadlines, now };
      const services = { logins, entities, ...options.services?.(parts) } as ImisServices;
      const admit = createAdmission({ access });
      const handler = createDialectHandler(createImisDialect(admit), services, {
        maxJsonBytes: { setting: "SLIPWAY_MAX_JSON_BYTES", value: 2 ** 20 },
        maxBufferedJsonBytes: 4 * 2 ** 20,
        logUnexpected: (error) => unexpected.push(error),
      });
      const cut = new AbortController();
      setMaxListeners(0, cut.signal);
      const drain = createDrain();
      const requests = createRequestReader({ publicUrl: undefined, trustProxy: true });
      const serve = createWireHandler({
        handle: handler.handle,
        describe: requests.requestOf,
        track: drain.track,
        cut: cut.signal,
        logUnexpected: (error) => unexpected.push(error),
      });
      const listener = await listen({
        host: "127.0.0.1",
        port: 0,
        maxBufferedBytes: 2 ** 27,
        onError: (error) => unexpected.push(error),
        handler: requests.identify(serve),
      });
      const stop = async () => {
        cut.abort(new Error("the server is stopping"));
        await drain.idle();
        listener.destroy();
        await access.stop();
      };
      closing.push(stop);
      return { ...parts, url: listener.url, logins, admit, stop };
    }

    const first = await startProcess();
    const defaultTenant = (await store.findTenantByName("default"))!;
    const elsewhere = (await store.findTenantByName("elsewhere"))!;
    const addUser = (tenant: Tenant, name: string, role: Role) =>
      store.createUser({ id: createId(), tenantId: tenant.id, name, role, password: digest });
    const admin = await addUser(defaultTenant, "imis_admin", "admin");
    const library = await opened.uploads.createLibrary({ name: archive }, opened.admin);
    await opened.uploads.createLibrary({ name: archive }, opened.otherTenant);
    let items = 0;
    Object.assign(scene, first, {
      opened,
      unexpected,
      library,
      members: {
        reader: await addUser(defaultTenant, "imis_reader", "reader"),
        uploader: await addUser(defaultTenant, "imis_uploader", "uploader"),
        other: await addUser(defaultTenant, "imis_other", "uploader"),
        admin,
      },
      stranger: await addUser(elsewhere, "imis_admin", "admin"),
      elapse(ms) {
        aheadMs += ms;
      },
      startProcess,
      async client(member = scene.members.uploader, words = {}, process = scene) {
        const client = await logIn(process, { archive, user: loginNameOf(member), password, ...words });
        closing.push(client.close);
        return client;
      },
      nobody(token = "") {
        const client = imisClient(scene.url, { archive, token });
        closing.push(client.close);
        return client;
      },
      async callOf(member) {
        const { token } = await scene.tokenOf(member);
        const request = buildRequest({ headers: { authorization: `Bearer ${token}` } });
        return (await scene.admit(request, { admits: "login", acts: false })).call;
      },
      async tokenOf(member, audience = "imis") {
        const words = { login: loginNameOf(member), password, label: "", audience };
        const { token, accessToken } = await scene.access.login(words, peer);
        return { token, id: accessToken.id };
      },
      makeEntity: (more = {}) =>
        opened.uploads.createItem({ libraryId: library.id, name: `entity ${++items}`, ...more }, opened.admin),
      administrator: () => scene.access.principalOf({ tenantId: admin.tenant.id, userId: admin.user.id }),
    } satisfies Partial<FaceScene>);
  });
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  });
  return scene;
}

export function buildRequest(of: Partial<WireRequest> = {}): WireRequest {
  return {
    method: "GET",
    path: `/archives/${archive}/session/close.json`,
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
