import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BlobKey, smallContentBytes } from "../../../src/core/index.js";
import {
  createFileId,
  createPaths,
  formatExtentKey,
  formatPackedKey,
  parseBlobKey,
} from "../../../src/storage/disk/paths.js";

const fileId = fc.constant(undefined).map(createFileId);

describe("blob keys on disk", () => {
  test("an extent's key says its id", () => {
    fc.assert(
      fc.property(fileId, (id) => {
        expect(parseBlobKey(formatExtentKey(id))).toEqual({ kind: "extent", id });
      }),
    );
  });

  test("a packed key says its pack and its place, in at most 128 printable characters", () => {
    const place = fc.tuple(
      fileId,
      fc.nat({ max: 999_999_999_999_999 }),
      fc.integer({ min: 1, max: smallContentBytes }),
    );
    fc.assert(
      fc.property(place, ([packId, offset, length]) => {
        const key = formatPackedKey(packId, offset, length);
        expect(parseBlobKey(key)).toEqual({ kind: "packed", packId, offset, length });
        expect(key).toMatch(/^[!-~]{1,128}$/);
      }),
    );
  });

  test("no text is parsed to a path outside the store's folders", () => {
    const paths = createPaths("/store");
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[ep]:[0-9a-f./]{0,34}(:[0-9]{0,17}){0,2}$/));
    fc.assert(
      fc.property(text, (key) => {
        try {
          const parsed = parseBlobKey(key as BlobKey);
          const path = parsed.kind === "extent" ? paths.extent(parsed.id) : paths.pack(parsed.packId);
          expect(path).toMatch(/^\/store\/(extents\/[0-9a-f]{2}|packs)\/[0-9a-f]{32}$/);
        } catch (error) {
          expect(error).toMatchObject({ code: "damaged" });
        }
      }),
    );
  });
});
