// The cookie that stands for a login where a client does not say that it sends the header.
import { loginHeader } from "../admission.js";
import type { VsphereCall } from "../call.js";

/** By sending this header, with any value, a client says that it shows its login in a header and wants no cookie. */
const headerOnly = "vmware-use-header-authn";

export function setLoginCookie(token: unknown, call: VsphereCall): Readonly<Record<string, string>> {
  const { wire } = call;
  return wire.headers[headerOnly] === undefined ? { "set-cookie": formatCookie(String(token), call) } : {};
}

/** What makes a browser forget it. */
export function clearLoginCookie(_output: unknown, call: VsphereCall): Readonly<Record<string, string>> {
  return { "set-cookie": `${formatCookie("", call)}; Max-Age=0` };
}

/** It goes where it came from: `/rest`, `/api`, or `/com` for those who leave out the first. */
function formatCookie(value: string, { wire }: VsphereCall): string {
  const [, root = ""] = wire.path.split("/");
  const secure = wire.origin.startsWith("https:") ? "; Secure" : "";
  return `${loginHeader}=${value}; Path=/${root}; HttpOnly; SameSite=Strict${secure}`;
}
