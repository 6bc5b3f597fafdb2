import { doneAnswer, type ImisRow, jsonAnswer, operation } from "../route-forms.js";
import { readObjectId, readObjectPage } from "./object-words.js";
import { wireObject, wireObjectPage } from "./object-wire.js";

const objects = "/archives/{archive}/entities/H:{handle}/objects";
const stream = `${objects}/{objectId}/stream` as const;

export const objectRows: readonly ImisRow[] = [
  ...operation(`GET ${objects}`, {
    read: ({ params, query }) => ({ ...params, ...readObjectPage({ query }) }),
    run: (services) => async (input, call) =>
      wireObjectPage(await services.objects.list(input, call), { dot: services.extensionDot }),
    write: (page) => jsonAnswer(page),
  }),
  ...operation(`GET ${objects}/{objectId}`, {
    read: (request) => ({ ...request.params, ...readObjectId(request) }),
    run: (services) => async (input, call) =>
      wireObject(await services.objects.get(input, call), { dot: services.extensionDot }),
    write: (object) => jsonAnswer({ object }),
  }),
  ...operation(`GET ${stream}/open`, {
    acts: true,
    read: ({ params }) => params,
    run: (services) => services.streams.open,
    write: (opened) => jsonAnswer(opened),
  }),
  ...operation(`GET ${stream}/{stream}`, {
    read: ({ params, wire }) => ({ ...params, wire }),
    run: (services) => services.streams.read,
    write: (answer) => answer,
  }),
  ...operation(`GET ${stream}/{stream}/close`, {
    acts: true,
    read: ({ params }) => params,
    run: (services) => services.streams.close,
    write: () => doneAnswer,
  }),
];
