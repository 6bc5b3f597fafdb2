import type { WireRequest } from "../../kit/index.js";
import { login } from "../operations/login.js";
import { actionsOf } from "./actions.js";
import { linesOf } from "./lines.js";

const places = new Set(linesOf(login.create).map(({ line }) => line.split("?")[0]));

/** Whether a request is the one that a name and a password are shown with: there alone a browser may ask for them. */
export function asksForLogin(request: WireRequest): boolean {
  if (!places.has(`${request.method} ${request.path}`)) return false;
  return actionsOf(request).actions.every((action) => action === login.create.name);
}
