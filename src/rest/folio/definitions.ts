// Upload definitions over the core: each operation is one of the API's, and answers what it shows.
import {
  createId,
  type Deadlines,
  type FileSpecInput,
  isUploadError,
  type NewEvent,
  type Predicate,
  type Session,
  type SessionField,
  type Uploads,
} from "../../core/index.js";
import { beginBody, type RawBody } from "../kit/index.js";
import { folioOrigin } from "./admission.js";
import { type DefinitionAttributes, definitionAttributes, storedAttributes } from "./attributes.js";
import type { FolioCall } from "./call.js";
import { compileDefinitionQuery } from "./cql/definition-query.js";
import { parseCql } from "./cql/parser.js";
import { FolioErrors, FolioRefusal } from "./errors.js";
import type { Extensions } from "./extensions.js";
import { fileGone, lostAs, lostDefinition, lostFile } from "./lost.js";
import { chooseNames } from "./names.js";
import { validateNewDefinition } from "./new-definition.js";
import type { DefinitionWords, FileWords, ProcessFilesWords } from "./schema.js";
import type { Definition, Metadata } from "./wire.js";

export interface DefinitionDeps {
  readonly uploads: Uploads;
  readonly extensions: Extensions;
  readonly deadlines: Deadlines;
  /** The largest file that a definition may announce (bytes). */
  readonly maxFileBytes: number;
  /** What is left for content (bytes). */
  readonly freeBytes: () => Promise<number>;
  readonly now: () => Date;
}

interface FilePlace {
  readonly id: string;
  readonly fileId: string;
}

export type Definitions = ReturnType<typeof createDefinitions>;

/**
 * Every operation may throw `FolioRefusal` and `FolioErrors`, which say what the API says, and of the core what is nothing
 * that the API foresees.
 */
export function createDefinitions(deps: DefinitionDeps) {
  const { uploads, extensions, now } = deps;

  const view = (id: string, call: FolioCall): Promise<Definition> => uploads.viewSession({ sessionId: id }, call);

  /** The same for a definition that has not ended. */
  async function find(id: string, call: FolioCall): Promise<Definition> {
    const found = await view(id, call);
    if (found.session.state === "canceled" || found.session.state === "failed") throw lostDefinition();
    return found;
  }

  /** Of an upload that somebody else ended: by taking its file away, or by sending that anew. */
  async function tookOver({ id, fileId }: FilePlace, call: FolioCall): Promise<Error> {
    const { files } = await find(id, call);
    return files.some((file) => file.id === fileId.toLowerCase()) ? interrupted(fileId) : fileGone(fileId);
  }

  /** Says these things of the definition from now on; `details` are for its session's history. */
  const change = (id: string, said: Partial<DefinitionAttributes>, details: NewEvent["details"], call: FolioCall) =>
    uploads.changeAttributes(
      {
        sessionId: id,
        change: (session) => ({
          attributes: storedAttributes({ ...definitionAttributes(session), ...said }),
          details,
        }),
      },
      call,
    );

  /** Under a core name that its definition does not have; others may be adding the same text at the same time. */
  async function addNamed(id: string, { name, ...spec }: FileSpecInput, call: FolioCall): Promise<void> {
    const add = async (names: readonly string[]) => {
      const [chosen = name] = names;
      try {
        await uploads.addFile({ ...spec, name: chosen, sessionId: id, onExisting: "refuse" }, call);
        return true;
      } catch (error) {
        if (isUploadError(error, "already_exists")) return false;
        throw error;
      }
    };
    if (await add(chooseNames([name]))) return;
    const { files } = await view(id, call);
    const taken = files.map((file) => file.name);
    if (await add(chooseNames([name], taken))) return;
    if (!(await add(chooseNames([`${createId()} ${name}`])))) throw new TypeError("a name that nobody has was taken");
  }

  return {
    async create(words: DefinitionWords, call: FolioCall): Promise<Definition> {
      const { fileDefinitions: files } = words;
      const errors = validateNewDefinition({
        files,
        extensions: await extensions.list({}, call),
        freeKb: Math.floor((await deps.freeBytes()) / 1024),
        maxFileKb: Math.floor(deps.maxFileBytes / 1024),
      });
      if (errors.length > 0) throw new FolioErrors(errors, { tellsTotal: true });
      const jobIds = files.map(() => createId());
      const names = chooseNames(files.map(({ name }) => name));
      const at = now();
      const { session } = await uploads.createSession(
        {
          origin: folioOrigin,
          access: "additive",
          visibility: "tenant",
          deadlines: deps.deadlines,
          attributes: storedAttributes({
            status: "NEW",
            // The one job of a single file is the whole of it.
            metaJobExecutionId: jobIds.length === 1 ? jobIds[0] : createId(),
            createDate: at,
            createdByUserId: call.user?.id,
            updatedDate: at,
            updatedByUserId: call.user?.id,
          }),
          files: files.map((file, place) => specOf(file, names[place]!, jobIds[place])),
        },
        call,
      );
      return view(session.id, call);
    },

    get: (input: { readonly id: string }, call: FolioCall): Promise<Definition> =>
      lostAs(`Upload Definition with id '${input.id}' not found`, () => find(input.id, call)),

    /** With a query, the caller's own; without, those of the tenant. Newest first unless the query says otherwise. */
    async list(input: { readonly query: string; readonly offset: number; readonly limit: number }, call: FolioCall) {
      const asked = input.query.trim() === "" ? undefined : compileDefinitionQuery(parseCql(input.query));
      const own: Predicate<SessionField> =
        call.user === undefined ? { any: [] } : { field: "ownerId", is: "eq", value: call.caller.userId };
      const where: Predicate<SessionField> = {
        all: [
          { field: "state", is: "in", value: ["active", "completing", "done"] },
          ...(asked === undefined ? [] : [own, asked.where]),
        ],
      };
      const { offset, limit } = input;
      const order = asked?.order ?? "newest";
      const total = await uploads.countSessions({ where }, call);
      const things = uploads.listSessionViews({ where, order, offset, limit }, call);
      return { things: await beginBody(things, call.signal ?? new AbortController().signal), total };
    },

    /** What is left out stays; files and what the server keeps stay in any case. Answers the metadata of this change. */
    update: (input: { readonly id: string; readonly words: DefinitionWords }, call: FolioCall) =>
      lostAs(`Upload Definition was not found. ID: ${input.id}`, async () => {
        const { status, metaJobExecutionId, createDate } = input.words;
        const at = now();
        const said = {
          ...(status && { status }),
          ...(metaJobExecutionId && { metaJobExecutionId }),
          ...(createDate && { createDate }),
          updatedDate: at,
          updatedByUserId: call.user?.id,
        };
        await change(input.id, said, { change: "updated", ...(status && { status }) }, call);
        const metadata: Metadata = {
          createdDate: at,
          createdByUserId: call.user?.id,
          updatedDate: at,
          updatedByUserId: call.user?.id,
        };
        return { definition: await view(input.id, call), metadata };
      }),

    remove: (input: { readonly id: string }, call: FolioCall): Promise<void> =>
      lostAs(`UploadDefinition with id '${input.id}' was not found`, async () => {
        const session = await uploads.getSession({ sessionId: input.id }, call);
        if (session.state === "done") {
          // Somebody has completed it through another face: nothing of it changes any more.
          assertNotProcessed(session);
          return uploads.deleteSession({ sessionId: session.id }, call);
        }
        const { applied } = await uploads.cancelSession({ sessionId: input.id, check: assertNotProcessed }, call);
        if (!applied) throw lostDefinition();
      }),

    addFile: (input: { readonly id: string; readonly words: FileWords }, call: FolioCall): Promise<Definition> =>
      lostAs(`Upload Definition was not found. ID: ${input.id}`, async () => {
        const { uploadDefinitionId = input.id } = input.words;
        if (uploadDefinitionId.toLowerCase() !== input.id.toLowerCase()) throw otherDefinition(uploadDefinitionId);
        await addNamed(input.id, specOf(input.words, input.words.name, undefined), call);
        return view(input.id, call);
      }),

    removeFile: (input: FilePlace, call: FolioCall): Promise<void> =>
      lostAs(`Upload Definition was not found. ID: ${input.id}`, () =>
        lostFile(input.fileId, {
          ask: () => uploads.removeFile({ sessionId: input.id, fileId: input.fileId }, call),
          find: () => find(input.id, call),
        }),
      ),

    /** The content takes the place of what there was once it is whole; the answer comes when it is durable. */
    upload: (input: FilePlace & { readonly body: RawBody }, call: FolioCall): Promise<Definition> =>
      lostAs(`Upload Definition was not found. ID: ${input.id}`, () =>
        lostFile(input.fileId, {
          async ask() {
            const { lengthBytes, bytes: body } = input.body;
            const place = { sessionId: input.id, fileId: input.fileId };
            const ending = () => ({ finish: true });
            const part = { offset: 0, restart: true, onInterrupt: "fail" } as const;
            try {
              await uploads.writePart({ ...place, ...part, lengthBytes, body, ending }, call);
            } catch (error) {
              if (isUploadError(error, "superseded")) throw await tookOver(input, call);
              if (isUploadError(error, "incomplete")) throw interrupted(input.fileId);
              throw error;
            }
            return view(input.id, call);
          },
          find: () => find(input.id, call),
        }),
      ),

    /** Marks the definition; an event of the session's history says so, and with which profile it is to be run. */
    async process({ uploadDefinition: { id = "null" }, jobProfileInfo }: ProcessFilesWords, call: FolioCall) {
      const { name, dataType, hidden } = jobProfileInfo;
      const profile = { id: jobProfileInfo.id, ...(name && { name }), ...(dataType && { dataType }) };
      const details = {
        change: "completed",
        status: "COMPLETED",
        jobProfileInfo: { ...profile, hidden: hidden ?? false },
      };
      await lostAs(`Upload definition not found by id: ${id}`, () =>
        change(id, { status: "COMPLETED" }, details, call),
      );
    },
  };
}

function assertNotProcessed(session: Session): void {
  if (definitionAttributes(session).status !== "COMPLETED" || session.fileCount === 0) return;
  throw new FolioRefusal(
    400,
    `Cannot delete uploadDefinition ${session.id} - linked files are already being processed`,
  );
}

function specOf(words: FileWords, name: string, jobExecutionId: string | undefined): FileSpecInput {
  const { uiKey, size: sizeKb } = words;
  const attributes = { name: words.name, uiKey, sizeKb, jobExecutionId, uploadedDate: undefined };
  return { name, attributes: storedAttributes(attributes) };
}

function interrupted(fileId: string): FolioRefusal {
  return new FolioRefusal(400, `Upload stream for file with id '${fileId}' has been interrupted`);
}

function otherDefinition(id: string): FolioErrors {
  const parameters = [{ key: "uploadDefinitionId", value: id }];
  return new FolioErrors([{ message: "the path is of another definition", type: "1", code: "-1", parameters }]);
}
