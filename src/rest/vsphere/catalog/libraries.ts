import { isUploadError, type Library, type LibraryField, type Predicate, type Uploads } from "../../../core/index.js";
import type { VsphereCall } from "../call.js";
import { idOfCreated, parseClientToken } from "../client-token.js";
import { invalidArgument, vapiError } from "../errors.js";
import { listIds } from "../list-whole.js";
import type { InputOf } from "../operation.js";
import type { localLibrary } from "../operations/library.js";
import type { VsphereServices } from "../services.js";
import { backingsOf, parseBackings } from "./backings.js";
import { parseVersion, unlessInUse } from "./changes.js";
import { libraryIdFrom } from "./ids.js";
import { assertType, type LibraryType, ofType, publishInfoOf, publishWordsFrom, typeOf, withWords } from "./words.js";

type LibraryServices = Pick<VsphereServices, "libraries" | "localLibraries" | "subscribedLibraries">;
type Update = InputOf<typeof localLibrary.update>;

/**
 * Libraries, as all of them and as those of a type. Local ones alone can be made; what is subscribed elsewhere can be seen
 * and named, and be deleted.
 */
export function createLibraries(deps: {
  readonly uploads: Pick<Uploads, "createLibrary" | "getLibrary" | "listLibraries" | "updateLibrary" | "deleteLibrary">;
}): LibraryServices {
  const { uploads } = deps;
  const list = (where: Predicate<LibraryField>, call: VsphereCall) =>
    listIds((page) => uploads.listLibraries({ where, page }, call), call);

  async function getLibrary(id: string, type: LibraryType | undefined, call: VsphereCall): Promise<Library> {
    const library = await uploads.getLibrary({ libraryId: libraryIdFrom(id) }, call);
    if (type !== undefined) assertType(library, type);
    return library;
  }

  /** The type, the backings and what the server itself says of a library are not for an update, and are passed over. */
  async function updateLibrary(input: Update, type: LibraryType | undefined, call: VsphereCall): Promise<void> {
    const { name, description, version, publish_info } = input.update_spec;
    const library = await getLibrary(input.library_id, type, call);
    const expectedVersion = parseVersion(version);
    // How it is published is a local library's own, and not said through the service for all types.
    const words = type === "LOCAL" ? publishWordsFrom(publish_info) : {};
    const isWorded = Object.keys(words).length > 0;
    const attributes = isWorded ? withWords(library.attributes, words) : undefined;
    const asked = { libraryId: library.id, name, description, attributes };
    try {
      // What is written into the attributes was read before: only over these may it be written.
      await uploads.updateLibrary(
        { ...asked, expectedVersion: expectedVersion ?? (isWorded ? library.version : undefined) },
        call,
      );
    } catch (error) {
      const isChanged = isUploadError(error) && error.details.reason === "VERSION_CHANGED";
      if (!isChanged || expectedVersion !== undefined) throw error;
      throw vapiError("resource_busy", "library_busy", `library ${library.id} is being changed by somebody else`);
    }
  }

  async function deleteLibrary(id: string, type: LibraryType, endSessions: boolean, call: VsphereCall): Promise<void> {
    const { id: libraryId } = await getLibrary(id, type, call);
    await unlessInUse(uploads.deleteLibrary({ libraryId, withItems: true, endSessions }, call));
  }

  return {
    libraries: {
      get: async ({ library_id }, call) => modelOf(await getLibrary(library_id, undefined, call)),
      list: (_, call) => list({ all: [] }, call),
      update: (input, call) => updateLibrary(input, undefined, call),
      async find({ spec: { name, type } }, call) {
        if (name === undefined && type === undefined) {
          throw invalidArgument("find_spec_empty", "spec says nothing to find libraries by: a name, a type or both");
        }
        const named: Predicate<LibraryField>[] = name === undefined ? [] : [{ field: "name", is: "same", value: name }];
        return list({ all: [...named, ...(type === undefined ? [] : [ofType(type)])] }, call);
      },
    },
    localLibraries: {
      get: async ({ library_id }, call) => modelOf(await getLibrary(library_id, "LOCAL", call)),
      list: (_, call) => list(ofType("LOCAL"), call),
      update: (input, call) => updateLibrary(input, "LOCAL", call),
      async create({ client_token, create_spec: spec }, call) {
        const clientToken = parseClientToken(client_token);
        if (spec.type === "SUBSCRIBED") {
          throw invalidArgument("library_type", "a local library is made with the type LOCAL, not SUBSCRIBED");
        }
        const { recorded, folder } = parseBackings(spec.storage_backings);
        const words = {
          ...(recorded.length > 0 && { storage_backings: recorded }),
          ...publishWordsFrom(spec.publish_info),
        };
        const attributes = Object.keys(words).length > 0 ? withWords({}, words) : {};
        const { name, description } = spec;
        const asked = { name, description, attributes, backingFolder: folder, clientToken };
        return idOfCreated(uploads.createLibrary(asked, call));
      },
      delete: ({ library_id }, call) => deleteLibrary(library_id, "LOCAL", false, call),
      forceDelete: ({ library_id }, call) => deleteLibrary(library_id, "LOCAL", true, call),
    },
    subscribedLibraries: {
      get: async ({ library_id }, call) => modelOf(await getLibrary(library_id, "SUBSCRIBED", call)),
      list: (_, call) => list(ofType("SUBSCRIBED"), call),
      update: (input, call) => updateLibrary(input, "SUBSCRIBED", call),
      async create({ client_token }) {
        parseClientToken(client_token);
        const text = "this server subscribes to no other library; create a local one and send its content";
        throw vapiError("unsupported", "subscribed_library", text);
      },
      delete: ({ library_id }, call) => deleteLibrary(library_id, "SUBSCRIBED", false, call),
    },
  };
}

function modelOf(library: Library) {
  return {
    id: library.id,
    name: library.name,
    description: library.description,
    type: typeOf(library),
    storage_backings: backingsOf(library),
    publish_info: publishInfoOf(library),
    version: String(library.version),
    creation_time: library.createdAt,
    last_modified_time: library.modifiedAt,
  };
}
