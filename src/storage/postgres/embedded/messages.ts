/** What the worker is started with. */
export interface WorkerSettings {
  readonly folder: string;
  readonly durability: "fsync" | "os";
}

/**
 * Main thread to worker, handled in order. Every `bytes` is answered by any number of `bytes` and one `taken`; `gone`
 * ends a connection and its transaction; `close` is the last message, after which the worker ends.
 */
export type ToWorker =
  | { readonly kind: "bytes"; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly kind: "gone"; readonly connection: number }
  | { readonly kind: "close" };

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "bytes"; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly kind: "taken"; readonly connection: number }
  /** The worker has let go of a connection by itself: the client said goodbye, or a newer connection took over. */
  | { readonly kind: "gone"; readonly connection: number }
  /** A line for the log. */
  | { readonly kind: "notice"; readonly line: string };
