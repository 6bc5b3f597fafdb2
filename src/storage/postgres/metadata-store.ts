import type { Knex } from "knex";
import type { MetadataStore } from "../../core/index.js";
import { findReferencedKeys, listExtents } from "./attempts.js";
import { findBlobs, getBlob, insertBlobs, listBlobs, publishFile, removeBlobs } from "./blobs.js";
import { changeFile } from "./change-file.js";
import { completeSession, deleteSession, updateSession } from "./change-session.js";
import {
  dropBlob,
  findNamedContent,
  findPlacedBlob,
  listCopies,
  listNamedContents,
  listPlacedBlobs,
  replaceBlobKey,
  replaceContent,
} from "./check.js";
import { copyItem } from "./copy-item.js";
import { createSession } from "./create-session.js";
import { deleteItem, deleteLibrary, listBusySessions } from "./delete-items.js";
import { listEvents } from "./events.js";
import { interruptValidations, listFiles, listProgress, viewFile } from "./files.js";
import { getItemFile, listItemFiles, measureItem } from "./item-files.js";
import { createItem, findItemByAlias, getItem, listItems, updateItem } from "./items.js";
import { createLibrary, getLibrary, listLibraries, updateLibrary } from "./libraries.js";
import { changePull, claimWriter, commitExtent, finishAttempt, listBrokenAttempts } from "./move-bytes.js";
import { keepPullingAlive, leasePull, listSettleable, renewPulls, returnAllPulls, returnPulls } from "./pulls.js";
import { putFile } from "./put-file.js";
import { changeRecords, findRecord, listRecords } from "./records.js";
import { dropRemoval, takeRemovals } from "./removals.js";
import { countSessions, listSessionViews, viewSession } from "./session-views.js";
import { countOpenSessions, getSession, listSessions } from "./sessions.js";
import { bindStore, findStore } from "./store.js";
import { deleteExpiredRecords, deleteForgottenSessions, deleteReleasedContent, listOverdueSessions } from "./sweep.js";
import { createTenant, deleteTenant, ensureTenant, findTenantByName, getTenant, listTenants } from "./tenants.js";
import { createToken, deleteToken, findToken, findTokenById, listTokens, touchTokens } from "./tokens.js";
import { createDeeds } from "./transaction.js";
import {
  createFirstAdministrator,
  createUser,
  deleteUser,
  ensureUser,
  findAccount,
  findAccountByName,
  lacksAdministrator,
  listUsers,
  updateUser,
} from "./users.js";

/** The metadata port over a database that `migrate` has been run on. Closing it closes `knex`. */
export function createMetadataStore(knex: Knex): MetadataStore {
  const deeds = createDeeds(knex);
  const { run, runOne, ask } = deeds;
  return {
    findStore: () => ask(findStore),
    bindStore: (storeId) => run((trx) => bindStore(trx, storeId)),
    checkHealth: () => ask(async (db) => void (await db.raw("select 1"))),

    createSession: (input) => run((trx, own) => createSession(trx, { ...input, build: own(input.build) })),
    putFile: (input) => run((trx, own) => putFile(trx, { ...input, build: own(input.build) })),
    getSession: (ref) => ask((db) => getSession(db, ref)),
    listSessions: (tenantId, predicate, page) => ask((db) => listSessions(db, tenantId, predicate, page)),
    viewSession: (ref) => ask((db) => viewSession(db, ref)),
    listSessionViews: (tenantId, predicate, window) => ask((db) => listSessionViews(db, tenantId, predicate, window)),
    countSessions: (tenantId, predicate) => ask((db) => countSessions(db, tenantId, predicate)),
    updateSession: (ref, change) => run((trx, own) => updateSession(trx, ref, own(change))),
    completeSession: (ref, decide) => run((trx, own) => completeSession(trx, ref, own(decide))),
    deleteSession: (ref, check) => run((trx, own) => deleteSession(trx, ref, own(check))),
    listEvents: (ref, after, limit) => ask((db) => listEvents(db, ref, after, limit)),

    countOpenSessions: () => ask(countOpenSessions),
    listProgress: (ref, limit) => ask((db) => listProgress(db, ref, limit)),
    getFile: (ref) => ask((db) => viewFile(db, ref)),
    listFiles: (ref, page) => ask((db) => listFiles(db, ref, page)),
    changeFile: (ref, key, change) => run((trx, own) => changeFile(trx, ref, key, own(change))),
    claimWriter: (ref, decide) => run((trx, own) => claimWriter(trx, ref, own(decide))),
    commitExtent: (commit) => run((trx) => commitExtent(trx, commit)),
    changePull: (ref, decide) => run((trx, own) => changePull(trx, ref, own(decide))),
    finishAttempt: (ref, options, decide) => run((trx, own) => finishAttempt(trx, ref, options, own(decide))),
    listBrokenAttempts: (options) => ask((db) => listBrokenAttempts(db, options)),
    interruptValidations: () => run((trx) => interruptValidations(trx)),
    listExtents: (attemptId) => ask((db) => listExtents(db, attemptId)),

    leasePull: (options) => runOne((db) => leasePull(db, options)),
    renewPulls: (pulls, leaseMs) => run((trx) => renewPulls(trx, pulls, leaseMs)),
    returnPulls: (pulls) => run((trx) => returnPulls(trx, pulls)),
    keepPullingAlive: (limit) => runOne((db) => keepPullingAlive(db, limit)),
    returnAllPulls: () => run((trx) => returnAllPulls(trx)),
    listSettleable: (options) => ask((db) => listSettleable(db, options)),
    takeRemovals: (limit) => runOne((db) => takeRemovals(db, limit)),
    dropRemoval: (id) => runOne((db) => dropRemoval(db, id)),

    findBlobs: (names) => ask((db) => findBlobs(db, names)),
    insertBlobs: (blobs) => runOne((db) => insertBlobs(db, blobs)),
    getBlob: (name) => ask((db) => getBlob(db, name)),
    listBlobs: (tenantId, options) => ask((db) => listBlobs(db, tenantId, options)),
    removeBlobs: (tenantId, refs) => run((trx) => removeBlobs(trx, tenantId, refs)),
    publishFile: (ref, decide) => run((trx, own) => publishFile(trx, ref, own(decide))),

    createLibrary: (library, once) => run((trx) => createLibrary(trx, library, once)),
    getLibrary: (tenantId, id) => ask((db) => getLibrary(db, tenantId, id)),
    listLibraries: (tenantId, predicate, page) => ask((db) => listLibraries(db, tenantId, predicate, page)),
    updateLibrary: (tenantId, id, change) => run((trx, own) => updateLibrary(trx, tenantId, id, own(change))),
    deleteLibrary: (tenantId, id, options) => run((trx) => deleteLibrary(trx, tenantId, id, options)),
    listBusySessions: (tenantId, libraryId, limit) => ask((db) => listBusySessions(db, tenantId, libraryId, limit)),
    createItem: (item, once) => run((trx) => createItem(trx, item, once)),
    copyItem: (copy, once) => run((trx) => copyItem(trx, copy, once)),
    getItem: (tenantId, id) => ask((db) => getItem(db, tenantId, id)),
    findItemByAlias: (tenantId, kind, value) => ask((db) => findItemByAlias(db, tenantId, kind, value)),
    listItems: (tenantId, predicate, page) => ask((db) => listItems(db, tenantId, predicate, page)),
    updateItem: (tenantId, id, change) => run((trx, own) => updateItem(trx, tenantId, id, own(change))),
    deleteItem: (tenantId, id) => run((trx) => deleteItem(trx, tenantId, id)),
    listItemFiles: (tenantId, itemId, options) => ask((db) => listItemFiles(db, tenantId, itemId, options)),
    measureItem: (tenantId, itemId) => ask((db) => measureItem(db, tenantId, itemId)),
    getItemFile: (tenantId, itemId, name) => ask((db) => getItemFile(db, tenantId, itemId, name)),

    findRecord: (tenantId, namespace, key) => ask((db) => findRecord(db, tenantId, namespace, key)),
    changeRecords: (tenantId, changes) => run((trx) => changeRecords(trx, tenantId, changes)),
    listRecords: (tenantId, namespace, options) => ask((db) => listRecords(db, tenantId, namespace, options)),

    ensureUser: (tenantName, userName) => run((trx) => ensureUser(trx, tenantName, userName)),
    lacksAdministrator: () => ask(lacksAdministrator),
    createFirstAdministrator: (password) => run((trx) => createFirstAdministrator(trx, password)),
    createTenant: (tenant) => ask((db) => createTenant(db, tenant)),
    ensureTenant: (tenant) => ask((db) => ensureTenant(db, tenant)),
    findTenantByName: (name) => ask((db) => findTenantByName(db, name)),
    getTenant: (id) => ask((db) => getTenant(db, id)),
    listTenants: (page) => ask((db) => listTenants(db, page)),
    deleteTenant: (id) => run((trx) => deleteTenant(trx, id)),
    createUser: (user) => run((trx) => createUser(trx, user)),
    findAccount: (ref) => ask((db) => findAccount(db, ref)),
    findAccountByName: (tenantName, userName) => ask((db) => findAccountByName(db, tenantName, userName)),
    listUsers: (tenantId, page) => ask((db) => listUsers(db, tenantId, page)),
    updateUser: (ref, change) => run((trx) => updateUser(trx, ref, change)),
    deleteUser: (ref) => run((trx) => deleteUser(trx, ref)),
    createToken: (token) => run((trx) => createToken(trx, token)),
    findToken: (digest) => ask((db) => findToken(db, digest)),
    findTokenById: (tokenId) => ask((db) => findTokenById(db, tokenId)),
    listTokens: (userId, page) => ask((db) => listTokens(db, userId, page)),
    deleteToken: (tokenId, owner) => run((trx) => deleteToken(trx, tokenId, owner)),
    touchTokens: (uses) => run((trx) => touchTokens(trx, uses)),

    listNamedContents: (options) => ask((db) => listNamedContents(db, options)),
    findNamedContent: (contentId) => ask((db) => findNamedContent(db, contentId)),
    listPlacedBlobs: (options) => ask((db) => listPlacedBlobs(db, options)),
    findPlacedBlob: (name) => ask((db) => findPlacedBlob(db, name)),
    listCopies: (copy) => ask((db) => listCopies(db, copy)),
    replaceContent: (change) => run((trx) => replaceContent(trx, change)),
    replaceBlobKey: (name, from, to) => runOne((db) => replaceBlobKey(db, name, from, to)),
    dropBlob: (name, blobKey) => runOne((db) => dropBlob(db, name, blobKey)),

    listOverdueSessions: (limit) => ask((db) => listOverdueSessions(db, limit)),
    deleteForgottenSessions: (limit) => deleteForgottenSessions(deeds, limit),
    deleteReleasedContent: (limit) => deleteReleasedContent(deeds, limit),
    deleteExpiredRecords: (limit) => deleteExpiredRecords(deeds, limit),
    findReferencedKeys: (keys) => ask((db) => findReferencedKeys(db, keys)),

    close: () => deeds.close(),
  };
}
