import { createHash, timingSafeEqual } from "node:crypto";
import { type Caller, permissions, UploadError } from "../core/index.js";

/**
 * Lets in who shows the token (`Authorization: Bearer ...`, RFC 6750) as `identity` says; throws `unauthenticated` for
 * everyone else.
 */
export function createTokenCheck(token: string, identity: () => { tenantId: string; userId: string }) {
  const expected = digest(token);
  const all: ReadonlySet<(typeof permissions)[number]> = new Set(permissions);
  return async (authorization: string | null): Promise<Caller> => {
    const shown = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? "")?.[1];
    if (shown === undefined || !timingSafeEqual(digest(shown), expected)) {
      throw new UploadError("unauthenticated", "a valid bearer token is needed", { reason: "TOKEN_INVALID" });
    }
    return { ...identity(), permissions: all };
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
