// How Okapi enables a module for a tenant; for trust mode alone.
import { createRoute, type RoutedRequest } from "../kit/index.js";
import type { FolioCall } from "./call.js";
import { FolioRefusal } from "./errors.js";
import { type FolioFacts, produces } from "./facts.js";
import type { FolioServices } from "./services.js";

const route = createRoute<FolioServices, FolioFacts, FolioCall>();

/** Everything is done when the answer goes out, so that there is none to ask for. */
const noJob = {
  facts: { produces },
  read: ({ params }: RoutedRequest<"id">) => params.id,
  run: () => async (id: string) => {
    throw new FolioRefusal(404, `Job not found ${id}`);
  },
  write: (never: never) => never,
};

export const tenantRows = [
  route("POST /_/tenant", {
    facts: { consumes: "application/json", produces },
    read: (request) => request.json(),
    run:
      ({ access }) =>
      async (body, call) => {
        const { module_to: enabled, purge } = Object(body);
        if (purge === true) throw new FolioRefusal(501, "A tenant's data is not purged through this interface");
        if (typeof enabled === "string") await access.ensureTenant({ name: call.tenantName });
      },
    write: () => ({ status: 204, headers: {} }),
  }),
  route("GET /_/tenant/{id}", noJob),
  route("DELETE /_/tenant/{id}", noJob),
];
