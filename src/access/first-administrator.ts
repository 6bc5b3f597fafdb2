import type { IdentityStore } from "../core/index.js";
import type { Passwords } from "./passwords.js";

/** Makes the first administrator while there is none, with the password that `givePassword` is asked for only then. */
export async function ensureAdministrator(deps: {
  readonly store: Pick<IdentityStore, "lacksAdministrator" | "createFirstAdministrator">;
  readonly passwords: Passwords;
  readonly givePassword: () => Promise<string>;
}): Promise<void> {
  if (!(await deps.store.lacksAdministrator())) return;
  const password = await deps.passwords.hash(await deps.givePassword());
  await deps.store.createFirstAdministrator(password);
}
