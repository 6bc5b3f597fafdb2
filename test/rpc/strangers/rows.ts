// What strangers get from every method of every service.
import type { DescMethod } from "@bufbuild/protobuf";
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import { AccessService } from "../../../gen/slipway/upload/v1/access_service_pb.js";
import { BlobService } from "../../../gen/slipway/upload/v1/blob_service_pb.js";
import { CatalogService } from "../../../gen/slipway/upload/v1/catalog_service_pb.js";
import { ChecksumAlgorithm } from "../../../gen/slipway/upload/v1/checksum_pb.js";
import { FileService } from "../../../gen/slipway/upload/v1/file_service_pb.js";
import { MaintenanceService } from "../../../gen/slipway/upload/v1/maintenance_service_pb.js";
import { SessionService } from "../../../gen/slipway/upload/v1/session_service_pb.js";
import { messagesOf } from "../scene.js";
import { hidden, known, type Names, type Row, type Rows, to } from "./row.js";

const session = ({ sessionId }: Names) => ({ sessionId });
const done = ({ doneSessionId }: Names) => ({ sessionId: doneSessionId });
const file = ({ sessionId, fileId }: Names) => ({ sessionId, fileId });
const doneFile = ({ doneSessionId, doneFileId }: Names) => ({ sessionId: doneSessionId, fileId: doneFileId });
const item = ({ itemId }: Names) => ({ itemId });
const library = ({ libraryId }: Names) => ({ libraryId });
const user = ({ userId }: Names) => ({ userId });
const bytesOf = ({ content }: Names) => new Uint8Array(Buffer.from(content, "hex"));
const refOf = ({ digest }: Names) => ({ algorithm: ChecksumAlgorithm.SHA256, digest });
const refs = (names: Names) => ({ refs: [refOf(names)] });
const anything = new Uint8Array(10);

const sessionRows: Rows<typeof SessionService.method> = {
  createSession: {
    request: ({ itemId, clientToken, label }) => ({ itemId, clientToken, label }),
    ...to.changeItem("FAILED_PRECONDITION / ITEM_BUSY"),
  },
  getSession: { request: session, ...to.readSession },
  listSessions: { request: ({ itemId, label }) => ({ itemId, label }), ...to.useOwn },
  keepSessionAlive: { request: session, ...to.changeSession },
  validateSession: { request: session, ...to.readSession },
  completeSession: { request: session, ...to.changeSession },
  cancelSession: { request: session, ...to.changeSession },
  failSession: { request: session, ...to.changeSession },
  deleteSession: { request: done, ...to.changeSession },
  watchSession: { request: session, ...to.readSession },
  getLimits: { request: () => ({}), ...to.useOwn },
};

const fileRows: Rows<typeof FileService.method> = {
  addFile: { request: ({ sessionId }) => ({ sessionId, spec: { name: "another" } }), ...to.changeSession },
  getFile: { request: file, ...to.readSession },
  listFiles: { request: session, ...to.readSession },
  removeFile: { request: file, ...to.changeSession },
  uploadFile: {
    request: (names) => [...messagesOf(file(names), anything, { restart: true })],
    ...to.changeSession,
  },
  uploadPart: {
    request: (names) => ({ ...file(names), restart: true, data: anything, finish: true }),
    ...to.changeSession,
  },
  putFile: {
    request: ({ itemId, clientToken, label }) => ({
      itemId,
      clientToken,
      label,
      spec: { name: "another" },
      data: anything,
    }),
    ...to.changeItem("FAILED_PRECONDITION / ITEM_BUSY"),
  },
  getUploadStatus: { request: file, ...to.readSession },
  readFile: { request: file, ...to.readSession },
};

const noBlob = hidden("NOT_FOUND / BLOB_NOT_FOUND");

const blobRows: Rows<typeof BlobService.method> = {
  statBlobs: { request: refs, ...to.useTenant },
  uploadBlobs: { request: (names) => [{ ref: refOf(names), data: bytesOf(names) }], ...to.fillTenant },
  readBlob: {
    request: (names) => ({ ref: refOf(names) }),
    ...to.useTenant,
    outsider: noBlob,
    operator: noBlob,
  },
  listBlobs: { request: () => ({}), ...to.useTenant },
  removeBlobs: { request: refs, ...to.keepTenant },
  publishFile: { request: doneFile, ...to.changeSession },
};

const catalogRows: Rows<typeof CatalogService.method> = {
  createLibrary: { request: ({ libraryName }) => ({ name: libraryName }), ...to.keepTenant },
  getLibrary: { request: library, ...to.readLibrary },
  listLibraries: { request: ({ libraryName }) => ({ name: libraryName }), ...to.useTenant },
  updateLibrary: { request: ({ libraryId }) => ({ libraryId, name: "another" }), ...to.keepLibrary },
  deleteLibrary: { request: library, ...to.keepLibrary },
  createItem: {
    request: ({ libraryId, itemName, alias }) => ({
      libraryId,
      name: itemName,
      aliases: [{ kind: "handle", value: alias }],
    }),
    ...to.fillLibrary("ALREADY_EXISTS / NAME_TAKEN"),
  },
  getItem: { request: item, ...to.readItem },
  findItem: { request: ({ alias }) => ({ alias: { kind: "handle", value: alias } }), ...to.readItem },
  listItems: { request: ({ libraryId, itemName }) => ({ libraryId, name: itemName }), ...to.useTenant },
  updateItem: {
    request: ({ itemId }) => ({ itemId, name: "another", expectedVersion: 77n }),
    ...to.changeItem("ALREADY_EXISTS / VERSION_CHANGED"),
  },
  deleteItem: { request: item, ...to.changeItem("FAILED_PRECONDITION / ITEM_BUSY") },
  listItemFiles: { request: item, ...to.readItem },
  readItemFile: { request: ({ itemId, itemFileName }) => ({ itemId, name: itemFileName }), ...to.readItem },
};

const noToken = hidden("NOT_FOUND / TOKEN_NOT_FOUND");
const loginFailed = known("UNAUTHENTICATED / LOGIN_FAILED");

/** All but Login, whose callers nobody knows yet. */
const accessRows: Rows<Omit<typeof AccessService.method, "login">> = {
  logout: { request: () => ({}), ...to.useOwn, endsToken: true },
  whoAmI: { request: () => ({}), colleague: known("OK"), reader: known("OK"), outsider: hidden("OK") },
  changePassword: {
    request: () => ({ currentPassword: "the wrong one", newPassword: "the right one" }),
    colleague: loginFailed,
    reader: loginFailed,
    outsider: loginFailed,
  },
  createTenant: { request: ({ tenantName }) => ({ name: tenantName }), ...to.keepTenants },
  listTenants: { request: () => ({}), ...to.keepTenants },
  deleteTenant: { request: ({ tenantId }) => ({ tenantId }), ...to.keepTenants },
  createUser: {
    request: ({ tenantId, userName }) => ({ tenantId, name: userName, role: Role.READER }),
    ...to.keepTenantUsers,
  },
  getUser: { request: user, ...to.keepUser },
  listUsers: { request: ({ tenantId }) => ({ tenantId }), ...to.keepTenantUsers },
  updateUser: { request: ({ userId }) => ({ userId, role: Role.READER }), ...to.keepUser },
  deleteUser: { request: user, ...to.keepUser },
  createToken: { request: user, ...to.keepUser },
  listTokens: { request: user, ...to.keepUser },
  revokeToken: {
    request: ({ tokenId }) => ({ tokenId }),
    colleague: noToken,
    reader: noToken,
    outsider: noToken,
  },
};

const maintenanceRows: Rows<typeof MaintenanceService.method> = {
  checkStore: { request: () => ({}), ...to.keepTenants },
};

const tables = [
  [SessionService, sessionRows],
  [FileService, fileRows],
  [BlobService, blobRows],
  [CatalogService, catalogRows],
  [AccessService, accessRows],
  [MaintenanceService, maintenanceRows],
] as const;

/** Every method there is but Login. */
export const methods = tables
  .flatMap(([service]): readonly DescMethod[] => service.methods)
  .filter((method) => method !== AccessService.method.login);

/** The methods with their rows. */
export const rows = tables.flatMap(([service, all]) =>
  Object.entries<Row>(all).map(([name, row]) => ({
    method: service.methods.find(({ localName }) => localName === name),
    row,
  })),
);
