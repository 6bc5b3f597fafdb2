import { isId, isUploadError, type Library, type Uploads } from "../../../core/index.js";
import type { ImisCall } from "../call.js";
import { ImisError } from "../errors.js";

/** An archive is a library, by its name or its id. Throws `archive_not_found`. */
export async function findArchive(
  uploads: Pick<Uploads, "getLibrary" | "listLibraries">,
  archive: string,
  call: ImisCall,
): Promise<Library> {
  const where = { field: "name", is: "eq", value: archive } as const;
  const [named] = (await uploads.listLibraries({ where, page: { size: 1 } }, call)).things;
  if (named !== undefined) return named;
  const gone = () => new ImisError("archive_not_found", `there is no archive ${JSON.stringify(archive.slice(0, 80))}`);
  if (!isId(archive.toLowerCase())) throw gone();
  return uploads.getLibrary({ libraryId: archive }, call).catch((error: unknown) => {
    throw isUploadError(error, "not_found") ? gone() : error;
  });
}
