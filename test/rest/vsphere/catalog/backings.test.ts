import { describe, expect, it } from "vitest";
import { isUploadError } from "../../../../src/core/index.js";
import { parseBackings } from "../../../../src/rest/vsphere/catalog/backings.js";

const folderOf = (storage_uri: string) => parseBackings([{ type: "OTHER", storage_uri }]).folder;

function refusalOf(storage_uri: string): string {
  try {
    folderOf(storage_uri);
  } catch (error) {
    if (isUploadError(error, "invalid")) return error.message;
    throw error;
  }
  throw new Error("it was taken");
}

describe("the folder of a storage URI", () => {
  it("is the same with slashes at its end, as many as a URI may have", () => {
    expect(folderOf("ds:///srv/images")).toBe("/srv/images");
    expect(folderOf("ds:///srv/images/")).toBe("/srv/images");
    expect(folderOf(`ds:///srv/images${"/".repeat(8000)}`)).toBe("/srv/images");
  });

  it.each(["", "x"])(
    "is refused for its length, slashes at the end included, in a time that does not grow with its square: '%s' at the end",
    (end) => {
      const uri = `ds:///srv${"/".repeat(200_000)}${end}`;
      const startedAt = performance.now();
      expect(refusalOf(uri)).toBe(
        `the source URI is malformed: it has ${uri.length} characters, at most 8192 are allowed`,
      );
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    },
  );
});
