// The operations on the catalog over the service as it runs, without the wire.
import type { Call, Permission } from "../../../../src/core/index.js";
import type { VsphereCall } from "../../../../src/rest/vsphere/call.js";
import { createItems } from "../../../../src/rest/vsphere/catalog/items.js";
import { createLibraries } from "../../../../src/rest/vsphere/catalog/libraries.js";
import { toVapiError } from "../../../../src/rest/vsphere/errors.js";
import { storeFile, startSession, type OpenedUploads } from "../../../support/uploads.js";

export function catalogOf({ uploads }: Pick<OpenedUploads, "uploads">) {
  return { ...createLibraries({ uploads }), ...createItems({ uploads }) };
}

export type Catalog = ReturnType<typeof catalogOf>;

/** Somebody's call through this face, with other permissions if any are named. */
export function through({ caller }: Call, ...may: Permission[]): VsphereCall {
  const permissions = may.length > 0 ? new Set(may) : caller.permissions;
  return {
    caller: { ...caller, permissions, origin: "vsphere" },
    family: "rest",
    userName: "somebody",
    login: undefined,
    claim: undefined,
    // The catalog has nothing to do with how it was asked.
    wire: undefined as never,
  };
}

/** Files of an item, sent and completed through another face. */
export async function publish(
  { uploads, alice }: OpenedUploads,
  itemId: string,
  files: { readonly [name: string]: Uint8Array },
): Promise<void> {
  const { id: sessionId } = await startSession(uploads, alice, { itemId });
  for (const [name, content] of Object.entries(files)) await storeFile(uploads, alice, content, { sessionId, name });
  await uploads.completeSession({ sessionId }, alice);
}

/** What a refusal of this API looks like, whoever says it: an error of its own, or one of the core's that it translates. */
export async function typeOfRefusal(deed: Promise<unknown>): Promise<string> {
  try {
    await deed;
    return "ok";
  } catch (error) {
    const refused = toVapiError(error);
    if (refused === undefined) throw error;
    return refused.type;
  }
}
