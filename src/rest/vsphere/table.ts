// All that the API can be asked for, a line an operation.
import { clearLoginCookie, setLoginCookie } from "./logins/login-cookie.js";
import { downloadFile, downloadSession } from "./operations/download-session.js";
import { item, itemFile, itemStorage } from "./operations/item.js";
import { library, localLibrary, subscribedLibrary } from "./operations/library.js";
import { login } from "./operations/login.js";
import { sessionFile } from "./operations/session-file.js";
import { updateSession } from "./operations/update-session.js";
import { type Served, serve } from "./operation.js";

export const table: readonly Served[] = [
  serve(login.create, (s) => s.logins.create, { admits: "password", headers: setLoginCookie }),
  serve(login.get, (s) => s.logins.get),
  serve(login.delete, (s) => s.logins.delete, { headers: clearLoginCookie }),

  serve(library.get, (s) => s.libraries.get),
  serve(library.list, (s) => s.libraries.list),
  serve(library.find, (s) => s.libraries.find),
  serve(library.update, (s) => s.libraries.update),
  serve(localLibrary.create, (s) => s.localLibraries.create),
  serve(localLibrary.get, (s) => s.localLibraries.get),
  serve(localLibrary.list, (s) => s.localLibraries.list),
  serve(localLibrary.update, (s) => s.localLibraries.update),
  serve(localLibrary.delete, (s) => s.localLibraries.delete),
  serve(localLibrary.forceDelete, (s) => s.localLibraries.forceDelete),
  serve(subscribedLibrary.create, (s) => s.subscribedLibraries.create),
  serve(subscribedLibrary.get, (s) => s.subscribedLibraries.get),
  serve(subscribedLibrary.list, (s) => s.subscribedLibraries.list),
  serve(subscribedLibrary.update, (s) => s.subscribedLibraries.update),
  serve(subscribedLibrary.delete, (s) => s.subscribedLibraries.delete),

  serve(item.create, (s) => s.items.create),
  serve(item.get, (s) => s.items.get),
  serve(item.list, (s) => s.items.list),
  serve(item.find, (s) => s.items.find),
  serve(item.update, (s) => s.items.update),
  serve(item.delete, (s) => s.items.delete),
  serve(item.copy, (s) => s.items.copy),
  serve(itemFile.list, (s) => s.itemFiles.list),
  serve(itemFile.get, (s) => s.itemFiles.get),
  serve(itemStorage.list, (s) => s.itemStorages.list),
  serve(itemStorage.get, (s) => s.itemStorages.get),

  serve(updateSession.create, (s) => s.updateSessions.create),
  serve(updateSession.get, (s) => s.updateSessions.get),
  serve(updateSession.list, (s) => s.updateSessions.list),
  serve(updateSession.complete, (s) => s.updateSessions.complete),
  serve(updateSession.keepAlive, (s) => s.updateSessions.keepAlive),
  serve(updateSession.cancel, (s) => s.updateSessions.cancel),
  serve(updateSession.fail, (s) => s.updateSessions.fail),
  serve(updateSession.update, (s) => s.updateSessions.update),
  serve(updateSession.delete, (s) => s.updateSessions.delete),
  serve(sessionFile.add, (s) => s.sessionFiles.add),
  serve(sessionFile.get, (s) => s.sessionFiles.get),
  serve(sessionFile.list, (s) => s.sessionFiles.list),
  serve(sessionFile.remove, (s) => s.sessionFiles.remove),
  serve(sessionFile.validate, (s) => s.sessionFiles.validate),
  serve(sessionFile.probe, (s) => s.sessionFiles.probe),

  serve(downloadSession.create, (s) => s.downloadSessions.create),
  serve(downloadSession.get, (s) => s.downloadSessions.get),
  serve(downloadSession.list, (s) => s.downloadSessions.list),
  serve(downloadSession.keepAlive, (s) => s.downloadSessions.keepAlive),
  serve(downloadSession.cancel, (s) => s.downloadSessions.cancel),
  serve(downloadSession.fail, (s) => s.downloadSessions.fail),
  serve(downloadSession.delete, (s) => s.downloadSessions.delete),
  serve(downloadFile.list, (s) => s.downloadFiles.list),
  serve(downloadFile.prepare, (s) => s.downloadFiles.prepare),
  serve(downloadFile.get, (s) => s.downloadFiles.get),
];
