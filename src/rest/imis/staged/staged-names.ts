import { type Call, isUploadError, type RecordChange, type Uploads } from "../../../core/index.js";
import { tryChangeRecords } from "../../kit/index.js";
import { ImisError } from "../errors.js";
import { findStaged } from "./staged-sessions.js";

/** An external id, which is one object's in its archive. */
export interface StagedName {
  readonly libraryId: string;
  readonly externalId: string;
}

/**
 * The external ids of each user's staged objects. An id is somebody's from before its content is sent; who deletes an
 * object, or comes to nothing with it, gives it back.
 */
export interface StagedNames {
  find(name: StagedName, call: Call): Promise<string | undefined>;
  /**
   * Until `until`, unless it is kept. Of several who want a name whose object is not whole yet the newest gets it, and the
   * others are sent away: what they send may come from connections that are dead. Throws `name_taken`. Answers what
   * `keep` wants to know.
   */
  claim(name: StagedName, objectId: string, until: Date, call: Call): Promise<number>;
  /** For good. Throws `superseded`. */
  keep(name: StagedName, objectId: string, claim: number, call: Call): Promise<void>;
  /** Nothing where it is another object's by now. */
  release(name: StagedName, objectId: string, call: Call): Promise<void>;
}

const namespace = "imis.staged-name";

export function createStagedNames(deps: {
  readonly uploads: Pick<Uploads, "findRecord" | "changeRecords" | "findFile" | "cancelSession">;
  readonly now: () => Date;
}): StagedNames {
  const { uploads, now } = deps;
  const keyOf = ({ libraryId, externalId }: StagedName, { caller }: Call) =>
    `${caller.userId}/${libraryId}/${externalId}`;
  const find = async (name: StagedName, call: Call) => {
    const record = await uploads.findRecord({ namespace, key: keyOf(name, call) }, call);
    // Nothing but this store writes there.
    return record && { objectId: (record.value as { readonly objectId: string }).objectId, version: record.version };
  };
  const tryChange = (change: Omit<RecordChange, "namespace">, call: Call) =>
    tryChangeRecords(uploads, [{ namespace, ...change }], call);
  /** Ends what is not whole, or finds out that it is. */
  async function endUnfinished(objectId: string, { externalId }: StagedName, call: Call): Promise<void> {
    for (;;) {
      const holder = await findStaged(uploads, objectId, { call, now: now() });
      if (holder === undefined || holder.state === "over") return;
      if (holder.state === "whole") {
        const text = `there is a staged object with the external id ${JSON.stringify(externalId)}`;
        throw new ImisError("name_taken", text, { object_id: objectId });
      }
      await uploads.cancelSession({ sessionId: objectId }, call).catch((error: unknown) => {
        if (!isUploadError(error, "wrong_state", "expired", "not_found")) throw error;
      });
    }
  }
  return {
    find: async (name, call) => (await find(name, call))?.objectId,

    async claim(name, objectId, until, call) {
      const key = keyOf(name, call);
      for (;;) {
        const held = await find(name, call);
        if (held !== undefined) await endUnfinished(held.objectId, name, call);
        const expect = held?.version ?? 0;
        if (await tryChange({ key, value: { objectId }, expect, expiresAt: until }, call)) return expect + 1;
      }
    },

    async keep(name, objectId, claim, call) {
      if (await tryChange({ key: keyOf(name, call), value: { objectId }, expect: claim }, call)) return;
      throw new ImisError("superseded", "a newer request brings an object with this external id");
    },

    async release(name, objectId, call) {
      const held = await find(name, call);
      if (held?.objectId !== objectId) return;
      await tryChange({ key: keyOf(name, call), value: undefined, expect: held.version }, call);
    },
  };
}
