import { wireObject } from "../objects/object-wire.js";
import { doneAnswer, type ImisRow, jsonAnswer, operation } from "../route-forms.js";
import {
  limitsAnswer,
  listAnswer,
  readNewUpload,
  readPartInput,
  readSave,
  seenAnswer,
  sessionAnswer,
} from "./upload-wire.js";

const sessions = "/archives/{archive}/entities/H:{handle}/create_sessions";
const session = `${sessions}/{sessionId}` as const;

export const uploadRows: readonly ImisRow[] = [
  ...operation(`POST ${sessions}`, {
    read: readNewUpload,
    run: ({ uploadSessions }) => uploadSessions.create,
    write: sessionAnswer,
  }),
  ...operation(`GET ${sessions}`, {
    read: ({ params }) => params,
    run: ({ uploadSessions }) => uploadSessions.list,
    write: listAnswer,
  }),
  ...operation(`OPTIONS ${sessions}`, {
    admits: "anyone",
    read: () => undefined,
    run: ({ uploadSessions }) => uploadSessions.limits,
    write: limitsAnswer,
  }),
  ...operation(`PUT ${session}`, {
    read: readPartInput,
    run: ({ uploadSessions }) => uploadSessions.send,
    write: sessionAnswer,
  }),
  ...operation(`GET ${session}`, {
    read: ({ params }) => params,
    run: ({ uploadSessions }) => uploadSessions.see,
    write: seenAnswer,
  }),
  ...operation(`POST ${session}/save`, {
    read: readSave,
    run: (services) => async (input, call) =>
      wireObject(await services.uploadSessions.save(input, call), { dot: services.extensionDot }),
    write: (object) => jsonAnswer({ object }),
  }),
  ...operation(`DELETE ${session}`, {
    read: ({ params }) => params,
    run: ({ uploadSessions }) => uploadSessions.cancel,
    write: () => doneAnswer,
  }),
];
