import type { ContentSource } from "../core/index.js";

/** Every scheme's source behind the one port. */
export function createContentSource(sources: {
  readonly http: ContentSource;
  readonly file: ContentSource;
}): ContentSource {
  const bySchemes = { http: sources.http, https: sources.http, file: sources.file, ds: sources.file };
  return {
    open: (request, signal) => bySchemes[request.address.scheme].open(request, signal),
  };
}
