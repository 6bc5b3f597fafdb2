import { type ContextValues, createContextKey, createContextValues, type HandlerContext } from "@connectrpc/connect";
import type { TakeNote } from "../core/index.js";

/** What the port knows of a request before any protocol does. */
export interface RpcRequest {
  /** Also in the answer's headers and in the log. */
  readonly id: string;
  /** The address of whoever sent it. */
  readonly peerAddress: string;
  /** How the sender reaches this server, without a slash at the end: `https://up.example.com`. */
  readonly origin: string;
  /** Told what becomes of it. */
  readonly note?: TakeNote;
}

const nobody: RpcRequest = { id: "", peerAddress: "", origin: "" };

export const requestKey = createContextKey<RpcRequest>(nobody, { description: "request" });

export function createRequestValues(request: RpcRequest): ContextValues {
  return createContextValues().set(requestKey, request);
}

export function requestOf(context: HandlerContext): RpcRequest {
  return context.values.get(requestKey);
}
