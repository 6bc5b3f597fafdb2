import type { WireRequest } from "../../kit/index.js";
import { ImisError } from "../errors.js";

/** What a PUT says in its head. `probe` sends nothing and asks how far the content is. */
export type ContentPart =
  | { readonly kind: "probe"; readonly sizeBytes: number }
  | {
      readonly kind: "part";
      readonly offset: number;
      readonly lengthBytes: number;
      readonly sizeBytes: number | undefined;
      /** What the part alone must hash to. */
      readonly checksum: { readonly algorithm: string; readonly value: string } | undefined;
    };

/** Decided from the head alone, before anything of the body is read. */
export function readPart(request: Pick<WireRequest, "headers" | "httpVersion">): ContentPart {
  throw new ImisError("content_range_required", `no content-range in ${Object.keys(request.headers).join()}`);
}
