import { describe } from "vitest";
import { describeAttempts } from "./attempts.js";
import { describeBlobRaces, describeBlobs } from "./blobs.js";
import { describeCatalog } from "./catalog.js";
import { describeCheck } from "./check.js";
import { describeCompletion } from "./completion.js";
import { describeConcurrency } from "./concurrency.js";
import { describeCreationRaces, describeCreations } from "./creations.js";
import { describeEvents } from "./events.js";
import { describeFiles } from "./files.js";
import { describeIdentity } from "./identity.js";
import { describeIsolation } from "./isolation.js";
import { describeModel } from "./model.js";
import { describePredicates } from "./predicates.js";
import { describePullRaces, describePulls } from "./pulls.js";
import { describePutFile } from "./put-file.js";
import { describeRaces } from "./races.js";
import { describeRecords } from "./records.js";
import { describeRemovals } from "./removals.js";
import { describeSeats } from "./seats.js";
import { describeSessionViewRaces, describeSessionViews } from "./session-views.js";
import { describeSessions } from "./sessions.js";
import { describeSweep } from "./sweep.js";
import type { OpenStore } from "./world.js";

export type { OpenedStore } from "./world.js";

/** What every metadata store does, whatever it is made of. `open` answers an empty store of its own. */
export function describeMetadataStore(
  name: string,
  options: { readonly open: OpenStore; readonly supports: { readonly concurrency: boolean } },
): void {
  const { open, supports } = options;
  describe(name, () => {
    describe("sessions", () => describeSessions(open));
    describe("views of sessions", () => describeSessionViews(open));
    describe("files", () => describeFiles(open));
    describe("attempts", () => describeAttempts(open));
    describe("seats", () => describeSeats(open));
    describe("putting a file", () => describePutFile(open));
    describe("pulls", () => describePulls(open));
    describe("completion", () => describeCompletion(open, supports.concurrency ? 3_000 : 300));
    describe("catalog", () => describeCatalog(open));
    describe("creations", () => describeCreations(open));
    describe("blobs", () => describeBlobs(open));
    describe("records", () => describeRecords(open));
    describe("predicates", () => describePredicates(open));
    describe("events", () => describeEvents(open));
    describe("removals", () => describeRemovals(open));
    describe("sweep", () => describeSweep(open));
    describe("check", () => describeCheck(open));
    describe("identity", () => describeIdentity(open));
    describe("isolation", () => describeIsolation(open));
    describe("model", () => describeModel(open));
    if (supports.concurrency) {
      describe("concurrency", () => describeConcurrency(open));
      describe("races", () => describeRaces(open));
      describe("races of views", () => describeSessionViewRaces(open));
      describe("races of pulls", () => describePullRaces(open));
      describe("races of blobs", () => describeBlobRaces(open));
      describe("races of creations", () => describeCreationRaces(open));
    }
  });
}
