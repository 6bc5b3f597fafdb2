import type { Access } from "../../core/index.js";
import { whileUsed } from "../kit/index.js";

/**
 * The same bytes, which keep alive the login under which they were asked for: a URL that needs no login carries none. A
 * login that has ended stays so, and stops nothing.
 */
export function keepLoginAlive(
  access: Pick<Access, "useToken">,
  login: { readonly tenantId: string; readonly tokenId: string | undefined },
  bytes: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const { tenantId, tokenId } = login;
  return tokenId === undefined ? bytes : whileUsed(bytes, access.useToken({ tenantId, tokenId }));
}
