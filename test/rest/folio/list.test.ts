import { gunzipSync } from "node:zlib";
import pg from "pg";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { HttpAnswer } from "../../support/http.js";
import { postgresAvailable } from "../../support/postgres.js";
import { readMemory, resetPeakMemory } from "../../support/process-stats.js";
import { ann, ben, definitionsPath, type FolioServer, okapi, useFolioServer } from "./folio-server.js";
import { at, bytes, json } from "./shown.js";

interface Shown {
  readonly id: string;
  readonly fileDefinitions: readonly { readonly id: string }[];
}
interface Row {
  readonly name: string;
  readonly query: string;
  readonly headers?: Record<string, string>;
  readonly shows: readonly Label[];
  /** Default: as many as are shown. */
  readonly total?: number;
}
/** Oldest first. Of tenant `diku`, and of Ann but for Ben's; Ann's second is COMPLETED and has its file. */
const labels = ["ann1", "ann2", "ann3", "ben1", "ann4"] as const;
type Label = (typeof labels)[number];
interface Listed {
  readonly uploadDefinitions: readonly Shown[];
  readonly totalRecords: number;
}

const nobody = { "x-okapi-tenant": "diku" };
const bodyOf = <T>({ body }: HttpAnswer) => JSON.parse(body.toString("utf8")) as T;
const toldOf = ({ status, body }: HttpAnswer) => ({ status, text: body.toString("utf8") });

async function make({ http }: FolioServer, name: string, headers: Record<string, string> = okapi()): Promise<Shown> {
  const body = Buffer.from(JSON.stringify({ fileDefinitions: [{ name }] }));
  const made = await http["1.1"].ask({ method: "POST", path: definitionsPath, headers: { ...headers, ...json }, body });
  return bodyOf<Shown>(made);
}

function list({ http }: FolioServer, query: string, headers: Record<string, string> = okapi()): Promise<HttpAnswer> {
  return http["1.1"].ask({
    method: "GET",
    path: query === "" ? definitionsPath : `${definitionsPath}?${query}`,
    headers,
  });
}

describe("a list of definitions", () => {
  const scene = useFolioServer({ env: { SLIPWAY_DURABILITY: "os" } });
  const known = {} as Record<Label | "elsewhere" | "deleted", Shown>;

  beforeAll(async () => {
    for (const label of labels)
      known[label] = await make(scene, `${label}.mrc`, okapi(label.startsWith("ann") ? ann : ben));
    known.elsewhere = await make(scene, "elsewhere.mrc", okapi(ann, "elsewhere"));
    known.deleted = await make(scene, "deleted.mrc");
    const { http } = scene;
    const [file] = known.ann2.fileDefinitions;
    const path = at(`/${known.ann2.id}`);
    const content = Buffer.from("content");
    await http["1.1"].ask({
      method: "POST",
      path: `${path}/files/${file!.id}`,
      headers: { ...okapi(), ...bytes },
      body: content,
    });
    const status = Buffer.from('{"status":"COMPLETED"}');
    await http["1.1"].ask({ method: "PUT", path, headers: { ...okapi(), ...json }, body: status });
    known.ann2 = bodyOf(await http["1.1"].ask({ method: "GET", path, headers: okapi() }));
    await http["1.1"].ask({ method: "DELETE", path: at(`/${known.deleted.id}`), headers: okapi() });
  });

  const drafts = '(status==("NEW" OR "IN_PROGRESS" OR "LOADED")) sortBy createdDate/sort.descending';
  const all = ["ann4", "ben1", "ann3", "ann2", "ann1"] as const;
  const own = ["ann4", "ann3", "ann2", "ann1"] as const;
  const ask = (query: string) => `query=${encodeURIComponent(query)}`;
  const benId = "{ben1}";

  const rows: readonly Row[] = [
    { name: "without a query shows those of the tenant, newest first, with nothing deleted", query: "", shows: all },
    { name: "with a blank query does, too", query: "query=%20", shows: all },
    { name: "without a query does so for somebody who is nobody, too", query: "", headers: nobody, shows: all },
    { name: "with a query shows the caller's own", query: ask("cql.allRecords=1"), shows: own },
    { name: "and to another user that one's", query: ask("cql.allRecords=1"), headers: okapi(ben), shows: ["ben1"] },
    { name: "and to nobody none", query: ask("cql.allRecords=1"), headers: nobody, shows: [] },
    {
      name: "and none to a user whose id is none",
      query: ask("cql.allRecords=1"),
      headers: { ...nobody, "x-okapi-user-id": "null" },
      shows: [],
    },
    { name: "answers the one query of the user interface", query: `limit=1&${ask(drafts)}`, shows: ["ann4"], total: 3 },
    {
      name: "answers it with every character escaped that may be, and spaces as +",
      query:
        "query=%28status%3D%3D%28%22NEW%22+OR+%22IN%5FPROGRESS%22+OR+%22LOADED%22%29%29+sortBy+createdDate%2Fsort%2Edescending&limit=1",
      shows: ["ann4"],
      total: 3,
    },
    {
      name: "sorts the oldest first on demand",
      query: ask("cql.allRecords=1 sortBy createdDate/sort.ascending"),
      shows: own.toReversed(),
    },
    {
      name: "and where no direction is said",
      query: ask("cql.allRecords=1 sortBy metadata.createdDate"),
      shows: own.toReversed(),
    },
    { name: "finds one by its id", query: ask("id=={ann2}"), shows: ["ann2"] },
    { name: "and by a word of it", query: ask("id={ann2}"), shows: ["ann2"] },
    { name: "finds a status whatever its case", query: ask("status == completed"), shows: ["ann2"] },
    { name: "has a first page", query: `${ask(drafts)}&limit=2`, shows: ["ann4", "ann3"], total: 3 },
    { name: "has a second page", query: `${ask(drafts)}&limit=2&offset=2`, shows: ["ann1"], total: 3 },
    { name: "has pages without end", query: `${ask(drafts)}&offset=1000`, shows: [], total: 3 },
    { name: "shows nothing but how many there are where none are asked for", query: "limit=0", shows: [], total: 5 },
    {
      name: "knows the names of parameters in any case",
      query: `LIMIT=1&Offset=1&QUERY=${encodeURIComponent(drafts)}`,
      shows: ["ann3"],
      total: 3,
    },
    {
      name: "does not mind parameters that it does not know",
      query: "lang=en&totalRecords=none&limit=1",
      shows: ["ann4"],
      total: 5,
    },
    { name: "takes the largest numbers", query: "limit=2147483647&offset=2147483647", shows: [], total: 5 },
    { name: "shows no more than there is", query: "limit=2147483647", shows: all },
    // Ben's is not shown by any of these, since only the whole of a query is about one's own.
    { name: "does not let `or` out of what is one's own", query: ask("status==NEW or cql.allRecords=1"), shows: own },
    { name: "nor `or` by another's id", query: ask(`status==COMPLETED or id==${benId}`), shows: ["ann2"] },
    { name: "nor `not`", query: ask("cql.allRecords=1 not status==NEW"), shows: ["ann2"] },
    { name: "nor a field that names the owner", query: ask(`metadata.createdByUserId==${ben}`), shows: [] },
    { name: "nor another's id", query: ask(`id==${benId}`), shows: [] },
    { name: "finds nothing by a field that there is none of", query: ask("fileDefinitions.name==ben1.mrc"), shows: [] },
    { name: "finds nothing by SQL", query: ask("id==\"' or '1'='1\""), shows: [] },
    { name: "finds nothing by more SQL", query: ask('status=="NEW\'; drop table sessions; --"'), shows: [] },
    { name: "finds nothing by wildcards of SQL", query: ask('status=="%"'), shows: [] },
    {
      name: "finds what it can in what looks like SQL",
      query: ask("status==NEW or 1=1--"),
      shows: ["ann4", "ann3", "ann1"],
    },
    { name: "finds nothing by a NUL", query: "query=%00", shows: [] },
  ];
  it.each(rows.map((row) => [row.name, row] as const))(
    "%s",
    async (_name, { query, headers = okapi(), shows, total = shows.length }) => {
      const filled = query.replaceAll(/%7B(\w+)%7D/g, (_, label: Label) => known[label].id);
      const answer = await list(scene, filled, headers);
      expect({ status: answer.status, headers: { ...answer.headers, "x-request-id": "" } }).toEqual({
        status: 200,
        headers: { "content-type": "application/json", vary: "Accept-Encoding", "x-request-id": "" },
      });
      expect(bodyOf<Listed>(answer)).toEqual({
        uploadDefinitions: shows.map((label) => known[label]),
        totalRecords: total,
      });
    },
  );

  it("shows another tenant that one's", async () => {
    const answer = await list(scene, "", okapi(ann, "elsewhere"));
    expect(bodyOf<Listed>(answer)).toEqual({ uploadDefinitions: [known.elsewhere], totalRecords: 1 });
  });

  it("prints nothing as the API does", async () => {
    expect(toldOf(await list(scene, "limit=0"))).toEqual({
      status: 200,
      text: '{\n  "uploadDefinitions" : [ ],\n  "totalRecords" : 5\n}',
    });
  });

  it("prints one definition like reading it, further in", async () => {
    const { body } = await scene.http["1.1"].ask({ method: "GET", path: at(`/${known.ann4.id}`), headers: okapi() });
    const one = body.toString("utf8").replaceAll("\n", "\n  ");
    expect(toldOf(await list(scene, "limit=1"))).toEqual({
      status: 200,
      text: `{\n  "uploadDefinitions" : [ ${one} ],\n  "totalRecords" : 5\n}`,
    });
  });

  it("is compressed for whoever takes that", async () => {
    const answer = await list(scene, "", { ...okapi(), "accept-encoding": "gzip" });
    expect(answer.headers["content-encoding"]).toBe("gzip");
    const text = gunzipSync(answer.body).toString("utf8");
    expect(JSON.parse(text)).toEqual({ uploadDefinitions: all.map((label) => known[label]), totalRecords: 5 });
  });

  it.each([
    ["limit=x", 'For input string: "x"'],
    ["limit=", 'For input string: ""'],
    ["limit=1.5", 'For input string: "1.5"'],
    ["limit=1e3", 'For input string: "1e3"'],
    ["limit=0x10", 'For input string: "0x10"'],
    ["limit=2147483648", 'For input string: "2147483648"'],
    ["offset=%00", 'For input string: "\\u0000"'],
    ["OFFSET=%27", 'For input string: "\'"'],
    [`limit=${"9".repeat(1000)}`, `For input string: "${"9".repeat(80)}"`],
    ["limit=-1", "limit must not be negative, but it is -1"],
    ["offset=-2147483647", "offset must not be negative, but it is -2147483647"],
    ["query=%zz", 'a percent-escape in the query means nothing: "%zz"'],
    ["query=%ff", 'a percent-escape in the query means nothing: "%ff"'],
    ["%zz=1", 'a percent-escape in the query means nothing: "%zz"'],
  ])("with ?%s answers 400 with a sentence", async (query, text) => {
    expect(toldOf(await list(scene, query))).toEqual({ status: 400, text });
  });

  it.each([
    ["status==", ""],
    ["(((((", ""],
    ['status=="NEW', '"NEW'],
    ["status==NEW)", ")"],
    ["status==(NEW or", ""],
    ["and", "and"],
    ["sortBy createdDate", "sortby"],
    ["status==NEW sortBy", ""],
    ["status/x==NEW", "/"],
    [`${"(".repeat(4000)}status==NEW${")".repeat(4000)}`, "("],
    [`${"x".repeat(10_000)}==y`, ""],
    [Array.from({ length: 300 }, (_, number) => `id==${number}`).join(" or "), ""],
  ])("with the query %s answers 422, says why and repeats what is wrong", async (query, key) => {
    const answer = await list(scene, ask(query));
    const message: unknown = expect.stringMatching(/^[a-z]/);
    expect({ status: answer.status, body: bodyOf(answer) }).toEqual({
      status: 422,
      body: { errors: [{ message, type: "1", code: "-1", parameters: [{ key, value: "" }] }] },
    });
  });
});

describe.runIf(postgresAvailable())("a list of 10,000 definitions", () => {
  const scene = useFolioServer({ database: "PostgreSQL" });
  const count = 10_000;

  it("comes whole and in order within a bound of memory", async () => {
    const { id } = await make(scene, "a.mrc");
    const database = new pg.Client({ connectionString: scene.databaseUrl });
    await database.connect();
    await database.query(
      `insert into sessions select (jsonb_populate_record(s, jsonb_build_object(
         'id', gen_random_uuid(), 'created_at', s.created_at + n * interval '1 second'))).*
       from sessions s, generate_series(1, ${count - 1}) n where s.id = '${id}'`,
    );
    await database.query(
      `insert into files select (jsonb_populate_record(f, jsonb_build_object('id', gen_random_uuid(), 'session_id', s.id))).*
       from files f, sessions s where f.session_id = '${id}' and s.id <> '${id}'`,
    );
    const { rows } = await database.query<{ id: string }>("select id from sessions order by created_at desc");
    await database.end();

    const { pid } = scene.server;
    const before = await readMemory(pid);
    await resetPeakMemory(pid);
    const answers = await Promise.all(
      ["limit=2147483647", "limit=2147483647&query=cql.allRecords=1"].map((query) => list(scene, query)),
    );
    const { peakBytes } = await readMemory(pid);
    for (const answer of answers) {
      const { uploadDefinitions, totalRecords } = bodyOf<Listed>(answer);
      expect([totalRecords, rows.length]).toEqual([count, count]);
      expect(uploadDefinitions.map((one) => one.id)).toEqual(rows.map((row) => row.id));
      expect(new Set(uploadDefinitions.map(({ fileDefinitions }) => fileDefinitions[0]?.id)).size).toBe(count);
    }
    expect(peakBytes - before.nowBytes).toBeLessThan(256 * 2 ** 20);
  });
});

describe("a definition that nobody touched for too long", () => {
  const scene = useFolioServer({ env: { SLIPWAY_FOLIO_SESSION_TTL: "2s", SLIPWAY_SWEEP_INTERVAL: "100ms" } });

  it("is neither listed nor found any more", async () => {
    const { id } = await make(scene, "a.mrc");
    expect(bodyOf<Listed>(await list(scene, "")).totalRecords).toBe(1);
    const empty = { uploadDefinitions: [], totalRecords: 0 };
    await vi.waitFor(async () => expect(bodyOf(await list(scene, ""))).toEqual(empty), {
      timeout: 30_000,
      interval: 100,
    });
    expect(toldOf(await scene.http["1.1"].ask({ method: "GET", path: at(`/${id}`), headers: okapi() }))).toEqual({
      status: 404,
      text: `Upload Definition with id '${id}' not found`,
    });
  });
});
