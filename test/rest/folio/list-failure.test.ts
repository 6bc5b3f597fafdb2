import { afterAll, beforeAll, expect, it } from "vitest";
import { type Permission, UploadError } from "../../../src/core/index.js";
import { folioOrigin } from "../../../src/rest/folio/admission.js";
import { createDefinitions } from "../../../src/rest/folio/definitions.js";
import { createExtensions } from "../../../src/rest/folio/extensions.js";
import { hookMetadata, type OpenedUploads, openUploads } from "../../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

it("a list whose first definition cannot be read is refused, and not begun", async () => {
  const away = new UploadError("unavailable", "away", { reason: "DATABASE_UNAVAILABLE" });
  const uploads = opened.restart({
    wrapMetadata: hookMetadata({
      before(deed) {
        if (deed === "listSessionViews") throw away;
      },
    }),
  });
  const definitions = createDefinitions({
    uploads,
    extensions: createExtensions(uploads),
    deadlines: { idleTtlMs: 1000, absoluteTtlMs: undefined, keepTerminalMs: 1000 },
    maxFileBytes: 1,
    freeBytes: async () => 1,
    now: () => new Date(),
  });
  const caller = { ...opened.alice.caller, permissions: new Set<Permission>(["read"]), origin: folioOrigin };
  const call = { caller, tenantName: "default", user: undefined };
  await expect(definitions.list({ query: "", offset: 0, limit: 10 }, call)).rejects.toBe(away);
});
