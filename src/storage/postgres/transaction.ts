import type { Knex } from "knex";
import { UploadError } from "../../core/index.js";
import { isRetryable, toUploadError } from "./errors.js";

/** Runs what is asked of the database; driver errors are translated here and nowhere else. */
export interface Deeds {
  /**
   * A deed that changes something: one transaction, run again when it lost against another one, so it must be
   * repeatable. A decision that was handed in from outside goes through `own` before it is called: what it throws ends
   * the deed and comes out unchanged, even when it looks like a driver's error.
   */
  run<T>(deed: (trx: Knex.Transaction, own: Own) => Promise<T>): Promise<T>;
  /**
   * A deed whose statements are each a transaction of their own, without the round trips that begin and end one. Run
   * again when one lost against another, so it must be repeatable from any of them on.
   */
  runOne<T>(deed: (db: Knex) => Promise<T>): Promise<T>;
  /** Questions that need no transaction: each statement sees what was committed when it began. */
  ask<T>(question: (db: Knex) => Promise<T>): Promise<T>;
  /** Refuses what comes from now on, waits for what is under way, then lets go of the connections. */
  close(): Promise<void>;
}

export type Own = <Args extends unknown[], Result>(decide: (...args: Args) => Result) => (...args: Args) => Result;

const mostTries = 5;

export function createDeeds(knex: Knex): Deeds {
  const underWay = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  async function track<T>(start: () => Promise<T>): Promise<T> {
    if (closing !== undefined) {
      throw new UploadError("unavailable", "the metadata store is closed", { reason: "DATABASE_UNAVAILABLE" });
    }
    const deed = start();
    underWay.add(deed);
    try {
      return await deed;
    } finally {
      underWay.delete(deed);
    }
  }

  async function runOften<T>(deed: (trx: Knex.Transaction, own: Own) => Promise<T>): Promise<T> {
    let decided: { readonly error: unknown } | undefined;
    const own: Own =
      (decide) =>
      (...args) => {
        try {
          return decide(...args);
        } catch (error) {
          decided = { error };
          throw error;
        }
      };
    return repeatLost(
      () => knex.transaction((trx) => deed(trx, own), { isolationLevel: "read committed" }),
      (error) => decided !== undefined && decided.error === error,
    );
  }

  async function repeatLost<T>(run: () => Promise<T>, isOwn = (_error: unknown) => false): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await run();
      } catch (error) {
        if (isOwn(error)) throw error;
        if (!isRetryable(error)) throw toUploadError(error);
        if (tries === mostTries) throw lostTooOften(error);
      }
    }
  }

  async function answer<T>(question: (db: Knex) => Promise<T>): Promise<T> {
    try {
      return await question(knex);
    } catch (error) {
      throw toUploadError(error);
    }
  }

  async function settleAndDestroy(): Promise<void> {
    await Promise.allSettled(underWay);
    await knex.destroy();
  }

  return {
    run: (deed) => track(() => runOften(deed)),
    runOne: (deed) => track(() => repeatLost(() => deed(knex))),
    ask: (question) => track(() => answer(question)),
    close() {
      closing ??= settleAndDestroy();
      return closing;
    },
  };
}

function lostTooOften(cause: unknown): UploadError {
  const words = `the transaction lost against others ${mostTries} times`;
  return new UploadError("unavailable", words, { reason: "DATABASE_UNAVAILABLE" }, cause);
}

/** The database's clock now, not when the transaction began. Ask after the last lock: waiting for one takes time. */
export async function readNow(db: Knex): Promise<Date> {
  const { rows } = await db.raw("select clock_timestamp()::timestamptz(3) as now");
  return rows[0].now;
}

/**
 * The row of a locking query together with the database's clock after the lock was taken: the inner query is evaluated,
 * locks included, before the outer one's columns.
 */
export async function lockRow<Row>(
  trx: Knex.Transaction,
  query: string,
  bindings: readonly Knex.RawBinding[],
): Promise<(Row & { readonly now: Date }) | undefined> {
  const sql = `select locked.*, clock_timestamp()::timestamptz(3) as now from (${query}) locked`;
  const { rows } = await trx.raw(sql, bindings);
  return rows[0];
}
