import { describe, expect, it } from "vitest";
import { createId, deriveId, type ItemFile, type Permission } from "../../../src/core/index.js";
import { extensionOf } from "../../../src/rest/imis/extension.js";
import { objectOfItemFile, objectOfSession } from "../../../src/rest/imis/objects/imis-object.js";
import { wireObject } from "../../../src/rest/imis/objects/object-wire.js";

const dot = { dot: true };

describe("an extension (decision 17)", () => {
  it.each([
    ["audio/wav", ".wav"],
    ["audio/wave", ".wav"],
    ["audio/x-wav", ".wav"],
    ["audio/vnd.wave", ".wav"],
    ["AUDIO/Vnd.Wave", ".wav"],
    ["application/pdf", ".pdf"],
    ["image/jpeg", ".jpg"],
    ["audio/mpeg", ".mp3"],
    ["video/quicktime", ".mov"],
    ["application/octet-stream", ".bin"],
  ])("of %s is %s", (type, extension) => {
    expect(extensionOf(type, dot)).toBe(extension);
  });

  it.each(["text/plain; charset=utf-8", "text/plain ;format=flowed", "TEXT/PLAIN;a=b;c=d", " text/plain"])(
    "takes nothing but the type from %j",
    (type) => {
      expect(extensionOf(type, dot)).toBe(".txt");
    },
  );

  it.each(["audio/vnd.nobody", "x-custom/thing", "wav", "", "constructor", "__proto__", ";audio/wav"])(
    "of %j, which the table does not have, is empty, with the dot and without",
    (type) => {
      expect(extensionOf(type, dot)).toBe("");
      expect(extensionOf(type, { dot: false })).toBe("");
    },
  );

  it("comes without its dot where that is wanted", () => {
    expect(extensionOf("audio/wav", { dot: false })).toBe("wav");
    expect(extensionOf("audio/vnd.wave", { dot: false })).toBe("wav");
  });
});

const caller = (...permissions: Permission[]) => ({
  tenantId: createId(),
  userId: createId(),
  permissions: new Set(permissions),
});
const sha256 = "ab".repeat(32);
const content = { id: createId(), sizeBytes: 44, checksums: [{ algorithm: "sha256" as const, value: sha256 }] };
const file: ItemFile = {
  tenantId: createId(),
  itemId: createId(),
  name: createId(),
  version: 1,
  mediaType: "audio/wav",
  content,
  attributes: { description: "a dial tone", container_id: "c1" },
  createdAt: new Date(1_700_000_000_001),
  modifiedAt: new Date(1_700_000_000_002),
};

describe("an object", () => {
  it("is shown with the members of the API in the order of its page, and its SHA-256 behind them", () => {
    const shown = wireObject(objectOfItemFile(file, caller("read", "upload")), dot);
    expect(JSON.stringify(shown, undefined, 1)).toBe(
      JSON.stringify(
        {
          container_id: "c1",
          id: file.name,
          description: "a dial tone",
          size: 44,
          created: "2023-11-14T22:13:20.001Z",
          accessed: "2023-11-14T22:13:20.002Z",
          modified: "2023-11-14T22:13:20.002Z",
          content_type: "audio/wav",
          extension: ".wav",
          effective_rights: { create_access: true, delete_access: true, read_access: true, write_access: true },
          child_count: 0,
          signed: false,
          indexed: false,
          parent_id: "",
          sha256,
        },
        undefined,
        1,
      ),
    );
    expect(wireObject(objectOfItemFile(file, caller("read")), { dot: false }).extension).toBe("wav");
  });

  it("has the rights of whoever asks (decision 18)", () => {
    const rightsOf = (...permissions: Permission[]) =>
      wireObject(objectOfItemFile(file, caller(...permissions)), dot).effective_rights;
    const none = { create_access: false, delete_access: false, read_access: false, write_access: false };
    expect(rightsOf("read")).toEqual({ ...none, read_access: true });
    expect(rightsOf("read", "upload", "administer")).toEqual({
      create_access: true,
      delete_access: true,
      read_access: true,
      write_access: true,
    });
    expect(rightsOf("upload")).toEqual({
      create_access: true,
      delete_access: true,
      read_access: false,
      write_access: true,
    });
    expect(rightsOf()).toEqual(none);
  });

  it("that another face brought in has no description and is in the entity's own container (decision 15)", () => {
    const own = deriveId("imis container", file.itemId);
    const long = { description: "x".repeat(2_001), container_id: "x".repeat(256) };
    for (const attributes of [
      {},
      { description: 7, container_id: null },
      { description: "", container_id: "" },
      long,
    ]) {
      const object = objectOfItemFile({ ...file, mediaType: "", attributes }, caller("read"));
      expect(object).toMatchObject({ description: "", containerId: own });
      expect(wireObject(object, dot)).toMatchObject({ content_type: "application/octet-stream", extension: ".bin" });
    }
  });

  it("is told from the session that it was saved as in the words of the save", () => {
    const endedAt = new Date(1_700_000_000_003);
    const session = { itemId: file.itemId, endedAt, attributes: { saved: { description: "x", containerId: "" } } };
    const saved = { name: file.name, mediaType: file.mediaType, current: content };
    expect(objectOfSession(session, saved, caller("read"))).toEqual({
      id: file.name,
      containerId: deriveId("imis container", file.itemId),
      description: "x",
      sizeBytes: 44,
      createdAt: endedAt,
      modifiedAt: endedAt,
      contentType: "audio/wav",
      sha256,
      permissions: new Set(["read"]),
    });
    const put = { ...session, attributes: { saved: { description: "", containerId: "c1" } } };
    expect(objectOfSession(put, saved, caller())).toMatchObject({ containerId: "c1", description: "" });
  });
});
