import {
  type AccessToken,
  type Account,
  type Caller,
  type Principal,
  permissionsOf,
  UploadError,
} from "../core/index.js";

/** Where a principal learns whether its credentials are still good. */
export interface Standing {
  /** What is known of the account now, if that is to be trusted. */
  peek(): Account | undefined;
  /** What is there to be known; undefined once the credentials have ended. */
  get(): Promise<Account | undefined>;
  /** Takes down that the credentials are in use. */
  note(): void;
}

const leastBetweenQuestionsMs = 1_000;

export function createPrincipal(
  account: Account,
  token: AccessToken | undefined,
  standing: Standing,
  elapsed: () => number,
): Principal {
  const { user, tenant } = account;
  const caller = callerFrom(account);
  let ended: UploadError | undefined;
  let asking = false;
  let askedAt = Number.NEGATIVE_INFINITY;

  function compare(known: Account | undefined): void {
    if (known === undefined) ended = tokenInvalid("the credentials have ended");
    else if (known.user.role !== user.role) ended = findLost(caller, callerFrom(known));
  }
  function ask(): void {
    asking = true;
    askedAt = elapsed();
    standing
      .get()
      // While the database is away nothing is known; whoever writes will hear of it.
      .then(compare, () => undefined)
      .finally(() => {
        asking = false;
      });
  }
  return {
    caller,
    user,
    tenant,
    token,
    use() {
      if (ended !== undefined) throw ended;
      standing.note();
      const known = standing.peek();
      if (known !== undefined) compare(known);
      else if (!asking && elapsed() - askedAt >= leastBetweenQuestionsMs) ask();
      if (ended !== undefined) throw ended;
    },
  };
}

export function callerFrom({ user, tenant }: Account): Caller {
  return { tenantId: tenant.id, userId: user.id, permissions: permissionsOf(user.role, tenant.name) };
}

export function tokenInvalid(message: string): UploadError {
  return new UploadError("unauthenticated", message, { reason: "TOKEN_INVALID" });
}

function findLost(before: Caller, now: Caller): UploadError | undefined {
  const lost = [...before.permissions].find((permission) => !now.permissions.has(permission));
  if (lost === undefined) return undefined;
  return new UploadError("denied", `the permission ${lost} was taken away`, { reason: "PERMISSION_MISSING" });
}
