import type { Config } from "./config.js";
import { createInitialPassword } from "./initial-password.js";
import type { Log } from "./log.js";

/** The password that the first administrator gets: the setting's, or one that is made and lies in a file. */
export function createAdministratorPassword(config: Pick<Config, "adminPassword" | "dataDir">, log: Log) {
  const initial = createInitialPassword(config.dataDir);
  /** Nobody waits for it: a password that is no longer good does no harm. */
  function remove(): void {
    initial.remove().then(
      (removed) => removed && log.info({ file: initial.path }, "removed the administrator's first password"),
      (error) => log.warn({ err: error }, "the administrator's first password could not be removed"),
    );
  }
  return {
    /** Durable before it is given. */
    async give(): Promise<string> {
      if (config.adminPassword !== undefined) {
        remove();
        return config.adminPassword;
      }
      const password = await initial.ensure();
      log.info({ file: initial.path }, "the administrator's password is in this file");
      return password;
    },
    /** Removes the file, if there is one: its password is no longer good. */
    remove,
  };
}
