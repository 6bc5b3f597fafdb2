import { doneAnswer, type ImisRow, jsonAnswer, operation } from "../route-forms.js";
import { readNewStaged, readStagedPlace, wireStaged } from "./staged-words.js";

const objects = "/archives/{archive}/objects";
const object = `${objects}/{object}` as const;

/** Streams have two spellings: that of staged objects, and that of the objects of entities. */
export const stagedRows: readonly ImisRow[] = [
  ...operation(`POST ${objects}`, {
    read: readNewStaged,
    run: (services) => async (input, call) =>
      wireStaged(await services.staged.create(input, call), { dot: services.extensionDot }),
    write: (created) => jsonAnswer({ object: created }),
  }),
  ...operation(`GET ${object}`, {
    read: (request) => ({ ...readStagedPlace(request), wire: request.wire }),
    run: (services) => services.staged.read,
    write: (answer) => answer,
  }),
  ...operation(`DELETE ${object}`, {
    read: readStagedPlace,
    run: (services) => services.staged.delete,
    write: () => doneAnswer,
  }),
  ...operation(`GET ${object}/handle/open`, {
    acts: true,
    read: ({ params }) => params,
    run: (services) => services.staged.openStream,
    write: (opened) => jsonAnswer(opened),
  }),
  ...operation(`GET ${object}/stream/open`, {
    acts: true,
    read: ({ params }) => params,
    run: (services) => services.staged.openStream,
    write: (opened) => jsonAnswer(opened),
  }),
  ...operation(`GET ${objects}/H:{stream}/stream`, {
    read: ({ params, wire }) => ({ ...params, wire }),
    run: (services) => services.staged.readStream,
    write: (answer) => answer,
  }),
  ...operation(`GET ${object}/stream/{stream}`, {
    read: ({ params, wire }) => ({ ...params, wire }),
    run: (services) => services.staged.readStream,
    write: (answer) => answer,
  }),
  ...operation(`GET ${objects}/{stream}/handle/close`, {
    acts: true,
    read: ({ params: { archive, stream } }) => ({ archive, stream: stream.replace(/^H:/, "") }),
    run: (services) => services.staged.closeStream,
    write: () => doneAnswer,
  }),
  ...operation(`GET ${object}/stream/{stream}/close`, {
    acts: true,
    read: ({ params }) => params,
    run: (services) => services.staged.closeStream,
    write: () => doneAnswer,
  }),
];
