import pg from "pg";
import { describe, expect, it } from "vitest";
import { SessionEventType } from "../../../gen/slipway/upload/v1/event_pb.js";
import { pseudoRandom } from "../../support/bodies.js";
import { postgresAvailable } from "../../support/postgres.js";
import { readBack } from "../../rpc/scene.js";
import { converse, tell } from "./exchanges.js";
import { ann, ben, digest, okapi, useFolioServer } from "./folio-server.js";
import {
  addFile,
  at,
  create,
  definition,
  file,
  json,
  laterFile,
  put,
  read,
  refused,
  remove,
  upload,
  uploaded,
  violation,
} from "./shown.js";

const first = pseudoRandom(100_000, 1);
const second = pseudoRandom(70_000, 2);
const profile = { id: "e34d7b92-9b83-11eb-a8b3-0242ac130003" };
const someId = "7a9ab1b2-0c6a-4a8e-9a49-4d1f0a3b8c01";
const notFound = "Upload Definition was not found. ID: <definition>";
const now = (user: string) => ({
  createdDate: "<at:changed>",
  createdByUserId: user,
  updatedDate: "<at:changed>",
  updatedByUserId: user,
});

const setups = [
  { database: "embedded", version: "1.1" },
  { database: "PostgreSQL", version: "2" },
] as const;

for (const { database, version } of setups) {
  describe.runIf(database === "embedded" || postgresAvailable())(`over HTTP/${version} and ${database}`, () => {
    const scene = useFolioServer({ database });
    const open = () => scene.http[version];

    describe("a definition from its beginning to its end", () => {
      const said = { size: 98, uiKey: "marc.mrc1553182511" };
      const marc = file("marc", "marc.mrc", said);
      const marcThere = { ...file("marc", "marc.mrc", uploaded("marc")), ...said };
      const other = file("other", "marc2.mrc");
      const otherThere = file("other", "marc2.mrc", uploaded("other"));
      const third = laterFile("third", "marc3.mrc");
      const fourth = laterFile("fourth", "marc4.mrc");
      const thirdThere = laterFile("third", "marc3.mrc", uploaded("third"));
      const fourthThere = laterFile("fourth", "marc4.mrc", uploaded("fourth"));

      tell(open, [
        create(
          "creating answers 201 with the whole definition, and echoes sizes and keys",
          { fileDefinitions: [{ uiKey: said.uiKey, size: 98, name: "marc.mrc" }, { name: "marc2.mrc" }] },
          { status: 201, body: definition("NEW", [marc, other]) },
        ),
        read("reading answers the same", definition("NEW", [marc, other])),
        upload(
          "an upload answers the whole definition, IN_PROGRESS, with its file at the end and the size as it was said",
          "marc",
          first,
          definition("IN_PROGRESS", [other, marcThere]),
        ),
        upload(
          "the last upload makes it LOADED, and leaves the metadata as it was",
          "other",
          second,
          definition("LOADED", [marcThere, otherThere]),
        ),
        read("reading answers what the upload did", definition("LOADED", [marcThere, otherThere])),
        remove("a file is deleted with 204", "/<definition>/files/<other>"),
        read("deleting a file leaves the status", definition("LOADED", [marcThere])),
        refused(
          remove("deleting it again answers 404", "/<definition>/files/<other>"),
          404,
          "FileDefinition not found. FileDefinition ID: <other>",
        ),
        addFile(
          "adding a file answers 201 with the whole definition, LOADED as it was with a file that is NEW and has no job",
          { name: "marc3.mrc", uploadDefinitionId: "<definition>" },
          { status: 201, body: definition("LOADED", [marcThere, third]) },
        ),
        addFile(
          "adding a file needs no id of the definition in the body, and drops what a server sets",
          {
            id: someId,
            name: "marc4.mrc",
            status: "UPLOADED",
            sourcePath: "/etc/passwd",
            createDate: "2019-03-21T15:36:49.583+0000",
            uploadedDate: "2019-03-21T15:36:49.583+0000",
          },
          { status: 201, body: definition("LOADED", [marcThere, third, fourth]) },
        ),
        addFile(
          "adding a file with the id of another definition in the body is refused",
          { name: "marc5.mrc", uploadDefinitionId: someId },
          {
            status: 422,
            body: {
              errors: [
                {
                  message: "the path is of another definition",
                  type: "1",
                  code: "-1",
                  parameters: [{ key: "uploadDefinitionId", value: someId }],
                },
              ],
            },
          },
        ),
        upload(
          "an upload of a file that was added later reckons the status anew",
          "fourth",
          first,
          definition("IN_PROGRESS", [marcThere, third, fourthThere]),
        ),
        upload(
          "no bytes at all are an upload, too",
          "third",
          new Uint8Array(),
          definition("LOADED", [marcThere, fourthThere, thirdThere]),
        ),
        {
          name: "a definition is handed over with all that reading it answers, read-only members included",
          send: {
            method: "POST",
            path: at("/<definition>/processFiles?defaultMapping=false"),
            headers: { ...okapi(), ...json },
            body: {
              uploadDefinition: definition("LOADED", [marcThere, fourthThere, thirdThere]),
              jobProfileInfo: { ...profile, name: "Create MARC", dataType: "MARC", hidden: false },
            },
          },
          expect: { status: 204 },
        },
        read("and is COMPLETED then", definition("COMPLETED", [marcThere, fourthThere, thirdThere])),
        refused(
          remove("deleting it is refused then", "/<definition>"),
          400,
          "Cannot delete uploadDefinition <definition> - linked files are already being processed",
        ),
        ...["marc", "fourth", "third"].map((id) =>
          remove(`its file ${id} is deleted all the same`, `/<definition>/files/<${id}>`),
        ),
        read("without files it has an empty list of them, and is COMPLETED still", definition("COMPLETED", [])),
        remove("with no files left it is deleted", "/<definition>"),
        refused(
          read("reading it answers 404 from then on", ""),
          404,
          "Upload Definition with id '<definition>' not found",
        ),
        refused(
          remove("deleting it again answers 404", "/<definition>"),
          404,
          "UploadDefinition with id '<definition>' was not found",
        ),
        refused(put("changing it answers 404", {}, { status: 404 }), 404, notFound),
        refused(addFile("adding a file to it answers 404", { name: "a.mrc" }, { status: 404 }), 404, notFound),
        refused(upload("uploading a file of it answers 404", "marc", first, ""), 404, notFound),
        refused(remove("deleting a file of it answers 404", "/<definition>/files/<marc>"), 404, notFound),
        {
          name: "handing it over answers 404",
          send: {
            method: "POST",
            path: at("/<definition>/processFiles"),
            headers: { ...okapi(), ...json },
            body: { uploadDefinition: { id: "<definition>" }, jobProfileInfo: profile },
          },
          expect: { status: 404, body: "Upload definition not found by id: <definition>" },
        },
      ]);
    });

    it("handing a definition over tells those who follow its history, with the profile", async () => {
      const { names, exchange } = converse(open);
      await exchange(
        create(
          "a definition",
          { fileDefinitions: [{ name: "marc.mrc" }] },
          { status: 201, body: definition("NEW", [file("marc", "marc.mrc", { jobExecutionId: "<job>" })]) },
        ),
      );
      await exchange({
        name: "handed over",
        send: {
          method: "POST",
          path: at("/<definition>/processFiles"),
          headers: { ...okapi(ben), ...json },
          body: { uploadDefinition: { id: "<definition>" }, jobProfileInfo: { ...profile, name: "Create MARC" } },
        },
        expect: { status: 204 },
      });
      const sessionId = names.get("definition")!;
      for await (const { update } of scene.client.sessions.watchSession({ sessionId, afterEventNumber: 2n })) {
        expect(update).toMatchObject({ case: "event", value: { number: 3n, type: SessionEventType.SESSION_CHANGED } });
        break;
      }
      if (database === "embedded") return;
      const { rows } = await query(
        scene.databaseUrl,
        `select details from events where session_id = '${sessionId}' and number = 3`,
      );
      expect(rows).toEqual([
        {
          details: {
            change: "completed",
            status: "COMPLETED",
            jobProfileInfo: { ...profile, name: "Create MARC", hidden: false },
          },
        },
      ]);
    });

    describe("the definition of a single file", () => {
      const one = file("marc", "marc.mrc", { jobExecutionId: "<job>" });
      const there = file("marc", "marc.mrc", { jobExecutionId: "<job>", ...uploaded("marc") });
      const lines = (text: string) => text.replaceAll(/^ {10}/gm, "").trim();

      const { names } = tell(open, [
        {
          ...create(
            "has the file's job as its own, and is laid out as the API prints it",
            { fileDefinitions: [{ name: "marc.mrc" }] },
            {
              status: 201,
              text: lines(`
          {
            "id" : "<definition>",
            "metaJobExecutionId" : "<job>",
            "status" : "NEW",
            "createDate" : "<at:asked>",
            "fileDefinitions" : [ {
              "id" : "<marc>",
              "name" : "marc.mrc",
              "status" : "NEW",
              "jobExecutionId" : "<job>",
              "uploadDefinitionId" : "<definition>",
              "createDate" : "<at:created>"
            } ],
            "metadata" : {
              "createdDate" : "<at:created>",
              "createdByUserId" : "${ann}",
              "updatedDate" : "<at:created>",
              "updatedByUserId" : "${ann}"
            }
          }`),
            },
          ),
        },
        refused(
          {
            ...upload("takes no upload of another media type", "marc", first, ""),
            send: {
              method: "POST",
              path: at("/<definition>/files/<marc>"),
              headers: { ...okapi(), "content-type": "text/plain; charset=utf-8" },
              body: first,
            },
          },
          400,
          'Content-type header must be ["application/octet-stream"] but it is "text/plain"',
        ),
        refused(
          {
            ...upload("takes no upload of no media type, which is one of JSON", "marc", first, ""),
            send: { method: "POST", path: at("/<definition>/files/<marc>"), headers: okapi(), body: first },
          },
          400,
          'Content-type header must be ["application/octet-stream"] but it is "application/json"',
        ),
        read("is untouched by them", definition("NEW", [one])),
        upload("is LOADED with its first upload", "marc", first, definition("LOADED", [there])),
      ]);

      it("holds what was sent, as the typed API reads it", async () => {
        const place = { sessionId: names.get("definition")!, fileId: names.get("marc")! };
        expect(digest(await readBack(scene.client, place))).toBe(digest(first));
      });

      const again = tell(
        open,
        [
          {
            ...upload("is LOADED with the next upload, too", "marc", second, definition("LOADED", [there])),
            anew: ["at:marcUploaded"],
          },
        ],
        names,
      );

      it("holds what was sent last, and nothing of what was sent before", async () => {
        const place = { sessionId: again.names.get("definition")!, fileId: again.names.get("marc")! };
        expect(digest(await readBack(scene.client, place))).toBe(digest(second));
      });
    });

    describe("changing a definition", () => {
      const marc = file("marc", "marc.mrc", { jobExecutionId: "<job>" });
      const marcThere = file("marc", "marc.mrc", { jobExecutionId: "<job>", ...uploaded("marc") });
      const changedBy = (user: string) => ({
        metadata: {
          createdDate: "<at:created>",
          createdByUserId: ann,
          updatedDate: "<at:changed>",
          updatedByUserId: user,
        },
      });
      const more = { metaJobExecutionId: someId, createDate: "2019-03-21T14:36:49.583+0000", status: "COMPLETED" };
      const last = definition("COMPLETED", [marcThere], { ...more, ...changedBy(ann) });
      const anew = ["at:changed"];

      tell(open, [
        create(
          "that is there",
          { fileDefinitions: [{ name: "marc.mrc" }] },
          { status: 201, body: definition("NEW", [marc]) },
        ),
        upload("and has a file", "marc", first, definition("LOADED", [marcThere])),
        put(
          "sets any status, keeps the files whatever the body says of them, and answers the metadata of the change",
          definition(
            "NEW",
            [{ ...marcThere, name: "other.mrc", status: "NEW", sourcePath: "/etc/passwd" }, { name: "more.mrc" }],
            { id: someId, metadata: { createdDate: "2019-03-21T15:36:49.583+0000", createdByUserId: ben } },
          ),
          { status: 200, body: definition("NEW", [marcThere], { metadata: now(ben) }) },
          okapi(ben),
        ),
        read(
          "keeps who made the definition, and when; other users see it",
          definition("NEW", [marcThere], changedBy(ben)),
          okapi(ben),
        ),
        {
          ...put(
            "leaves what it does not say",
            {},
            { status: 200, body: definition("NEW", [marcThere], { metadata: now(ann) }) },
          ),
          anew,
        },
        read("but for who changed it last", definition("NEW", [marcThere], changedBy(ann))),
        {
          ...put(
            "takes a job, and a date in any form",
            { ...more, createDate: "2019-03-21T15:36:49.583+01:00" },
            { status: 200, body: definition("COMPLETED", [marcThere], { ...more, metadata: now(ann) }) },
          ),
          anew,
        },
        read("and keeps them", last),
        refused(
          put("takes no status that there is none of", { status: "LODAED" }, { status: 400 }),
          400,
          'Cannot read status: expected one of NEW, IN_PROGRESS, LOADED, COMPLETED, ERROR, not "LODAED"',
        ),
        refused(
          put("takes no body that is none", "", { status: 400 }),
          400,
          "the body is empty where JSON is expected",
        ),
        put(
          "takes no member that there is none of",
          { loaded: true },
          {
            status: 422,
            body: {
              errors: [
                {
                  message:
                    'Unrecognized field "loaded", known are id, metaJobExecutionId, status, createDate, fileDefinitions, metadata',
                  type: "1",
                  code: "-1",
                  parameters: [{ key: "", value: "" }],
                },
              ],
            },
          },
        ),
        put(
          "checks the files that it does not take",
          { fileDefinitions: [{ size: 1 }] },
          {
            status: 422,
            body: {
              errors: [violation("fileDefinitions[0].name", "NotNull", "must not be null", "null")],
            },
          },
        ),
        read("and leaves everything as it was where it is refused", last),
      ]);
    });
  });
}

async function query(connectionString: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
