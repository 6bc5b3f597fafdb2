import type { Call } from "../call.js";
import type { CoreDeps } from "../deps.js";
import type { DialectRecord, RecordChange } from "../record.js";

/**
 * The state that a dialect owns, in its caller's tenant. Who may do what with it is for the dialect to say: its
 * namespaces mean nothing to the core.
 */
export function createRecordOperations(deps: CoreDeps) {
  const { metadata } = deps;
  return {
    findRecord: (input: { readonly namespace: string; readonly key: string }, call: Call) =>
      metadata.findRecord(call.caller.tenantId, input.namespace, input.key) satisfies Promise<
        DialectRecord | undefined
      >,
    /** All or none. Throws `conflict` (RECORD_CHANGED). */
    changeRecords: (input: { readonly changes: readonly RecordChange[] }, call: Call) =>
      metadata.changeRecords(call.caller.tenantId, input.changes),
    listRecords: (
      input: {
        readonly namespace: string;
        readonly prefix: string;
        readonly afterKey?: string;
        readonly limit: number;
      },
      call: Call,
    ) => metadata.listRecords(call.caller.tenantId, input.namespace, input),
  };
}
