import type { Dialect } from "../kit/index.js";
import type { createAdmission } from "./admission.js";
import type { ImisCall } from "./call.js";
import { entityRows } from "./entities/entity-rows.js";
import { answerError, apology, ImisError, toImisError } from "./errors.js";
import { loginRows } from "./logins/login-rows.js";
import { objectRows } from "./objects/object-rows.js";
import type { ImisFacts } from "./route-forms.js";
import type { ImisServices } from "./services.js";
import { stagedRows } from "./staged/staged-rows.js";
import { uploadRows } from "./uploads/upload-rows.js";

export type ImisDialect = Dialect<ImisServices, ImisFacts, ImisCall> & { readonly name: "imis" };

/** IMiS/Storage Connector Services REST, as far as content goes into entities and comes back. */
export function createImisDialect(admit: ReturnType<typeof createAdmission>): ImisDialect {
  return {
    name: "imis",
    prefixes: ["/archives", "/scsvc"],
    rows: [...loginRows, ...entityRows, ...uploadRows, ...objectRows, ...stagedRows],
    trailingSlash: "optional",
    queryNames: "exact",
    unread: "close",
    admit,
    lose({ method, path }, allow) {
      const text = `there is no operation ${method} ${path.slice(0, 200)}`;
      if (allow.length === 0) return answerError(new ImisError("operation_not_found", text));
      return answerError(new ImisError("method_not_allowed", `${text}; ${allow.join(", ")} are served there`));
    },
    refuse(error) {
      const refused = toImisError(error);
      return refused && answerError(refused);
    },
    apology,
  };
}
