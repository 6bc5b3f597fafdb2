import type { MessageInitShape } from "@bufbuild/protobuf";
import { expect } from "vitest";
import type { CheckStoreRequestSchema } from "../../../gen/slipway/upload/v1/maintenance_service_pb.js";
import type { TestClient } from "../../support/client.js";
import { addSomebody, as } from "../scene.js";
import { type RefusalRow, rowsOf } from "./row.js";

async function check(client: TestClient, request: MessageInitShape<typeof CheckStoreRequestSchema> = {}, options = {}) {
  for await (const _ of client.maintenance.checkStore(request, options));
}

/** Throws what refuses those that come while another one runs. */
async function checkAtOnce(client: TestClient) {
  const checks = await Promise.allSettled(Array.from({ length: 20 }, () => check(client)));
  expect(checks.filter(({ status }) => status === "fulfilled").length).toBeGreaterThan(0);
  for (const each of checks) if (each.status === "rejected") throw each.reason;
}

export const maintenanceRefusals: readonly RefusalRow[] = rowsOf(
  "CheckStore",
  [
    "INVALID_ARGUMENT / PAGE_INVALID",
    "a cursor that no check has told",
    async (client) => () => check(client, { cursor: btoa("contents 1") }),
  ],
  [
    "INVALID_ARGUMENT / DURATION_INVALID",
    "an age of nothing",
    async (client) => () => check(client, { unreferencedAfter: { seconds: 0n, nanos: 0 } }),
  ],
  [
    "INVALID_ARGUMENT / DURATION_INVALID",
    "an age of more than ten years",
    async (client) => () => check(client, { unreferencedAfter: { seconds: 400_000_000n } }),
  ],
  [
    "PERMISSION_DENIED / PERMISSION_MISSING",
    "somebody who does not keep all tenants",
    async (client) => {
      const somebody = await addSomebody(client);
      return () => check(client, {}, as(somebody));
    },
  ],
  ["FAILED_PRECONDITION / CHECK_RUNNING", "a store that is being checked", async (client) => () => checkAtOnce(client)],
);
