// The same definitions in the database, found by the predicate, and as JSON, found by the filter.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createId, type MetadataStore, type Predicate, type SessionField } from "../../../../src/core/index.js";
import { compileDefinitionQuery } from "../../../../src/rest/folio/cql/definition-query.js";
import { createJsonFilter } from "../../../../src/rest/folio/cql/json-filter.js";
import { parseCql } from "../../../../src/rest/folio/cql/parser.js";
import { connectDatabase, type Database } from "../../../../src/storage/postgres/connect.js";
import { createMetadataStore } from "../../../../src/storage/postgres/metadata-store.js";
import { migrate } from "../../../../src/storage/postgres/migrate.js";
import { buildSession } from "../../../support/builders.js";
import { copyEmbeddedTemplate } from "../../../support/embedded-template.js";

const hour = 3_600_000;
const start = Date.parse("2019-03-21T20:36:49.583Z");
const statuses = ["NEW", "IN_PROGRESS", "LOADED", "COMPLETED", "ERROR"];
const users = [createId(), createId()];
const jobs = [createId(), createId(), createId()];

/** As the API shows them. */
const definitions = Array.from({ length: 30 }, (_, n) => {
  const createdDate = showTime(start + Math.floor(n / 2) * hour + (n % 2));
  const user = users[n % 3];
  return {
    id: createId(),
    ...(n % 4 !== 0 && { metaJobExecutionId: jobs[n % 3] }),
    status: statuses[n % 5],
    createDate: showTime(start + n * hour + 1),
    fileDefinitions: [],
    metadata: {
      createdDate,
      ...(user && { createdByUserId: user, updatedByUserId: users[n % 2] }),
      updatedDate: showTime(start + (30 - n) * hour),
    },
  };
});

function showTime(time: number): string {
  return new Date(time).toISOString().replace("Z", "+0000");
}

let database: Database;
let store: MetadataStore;
let tenantId: string;

beforeAll(async () => {
  database = await connectDatabase({ dataDir: await copyEmbeddedTemplate(), poolSize: 1, durability: "os" });
  await migrate(database.knex);
  store = createMetadataStore(database.knex);
  const owner = await store.ensureUser("diku", "ada");
  tenantId = owner.tenantId;
  for (const { id, status = "", metaJobExecutionId, createDate, metadata } of definitions) {
    const createdAt = new Date(metadata.createdDate);
    const { createdByUserId, updatedByUserId } = metadata;
    const attributes = {
      status,
      createDate: new Date(createDate).toISOString(),
      updatedDate: new Date(metadata.updatedDate).toISOString(),
      ...(metaJobExecutionId && { metaJobExecutionId }),
      ...(createdByUserId && { createdByUserId }),
      ...(updatedByUserId && { updatedByUserId }),
    };
    const of = { id, tenantId, ownerId: owner.userId, createdAt, modifiedAt: createdAt, attributes };
    await store.createSession({
      tenantId,
      ownerId: owner.userId,
      itemId: undefined,
      build: () => ({ session: buildSession({ ...of, origin: "folio", visibility: "tenant" }), events: [] }),
    });
  }
});
afterAll(() => database.close());

async function list(predicate: Predicate<SessionField>): Promise<readonly string[]> {
  const { things } = await store.listSessions(tenantId, predicate, { limit: 1000 });
  return things.map(({ id }) => id).sort();
}

const find = (query: string) => list(compileDefinitionQuery(parseCql(query)).where);

function filter(query: string): readonly string[] {
  const { matches } = createJsonFilter(parseCql(query));
  return definitions
    .filter((definition) => matches(definition))
    .map(({ id }) => id)
    .sort();
}

const quote = (text: string) => `"${text}"`;
const order = fc.constantFrom("==", "<>", "<", "<=", ">", ">=", "=");

/** Words are looked for in a status as in any text; of an id, `=` wants all. */
const statusClause = fc.record({
  index: fc.constant("status"),
  relation: fc.oneof(order, fc.constantFrom("any", "all", "adj")),
  term: fc
    .constantFrom(...statuses, "new", "*", "", "*ED", "?E?", "in progress", "progress", "lo", "lo*", "%", "Érror")
    .map(quote),
});

const idClause = fc
  .record({
    definition: fc.constantFrom(...definitions),
    index: fc.constantFrom("id", "metaJobExecutionId", "metadata.createdByUserId", "metadata.updatedByUserId"),
    relation: order,
    shape: fc.constantFrom("whole", "upper", "accented", "missing"),
    start: fc.nat(36),
    wild: fc.constantFrom("", "", "prefix", "suffix", "inside", "any"),
  })
  .map(({ definition, index, relation, shape, start: cut, wild }) => {
    const { id, metaJobExecutionId = jobs[0]!, metadata } = definition;
    const ids = { id, metaJobExecutionId, createdBy: metadata.createdByUserId ?? users[0]! };
    const whole = index === "id" ? ids.id : index === "metaJobExecutionId" ? ids.metaJobExecutionId : ids.createdBy;
    const shapes = { whole, upper: whole.toUpperCase(), accented: whole.replaceAll("e", "É"), missing: createId() };
    const text = shapes[shape as keyof typeof shapes];
    const cuts = {
      prefix: `${text.slice(0, cut)}*`,
      suffix: `*${text.slice(cut)}`,
      inside: `*${text.slice(cut, cut + 3)}*`,
    };
    const term = wild === "" ? text : wild === "any" ? "*" : cuts[wild as keyof typeof cuts];
    // What `=` finds of an id is told elsewhere: here words would differ.
    return { index, relation: relation === "=" && wild !== "" ? "==" : relation, term: quote(term) };
  });

const timeClause = fc.record({
  index: fc.constantFrom("createDate", "metadata.createdDate", "metadata.updatedDate"),
  relation: order,
  term: fc
    .record({ hours: fc.integer({ min: -1, max: 31 }), milliseconds: fc.integer({ min: -1, max: 2 }) })
    .map(({ hours, milliseconds }) => quote(showTime(start + hours * hour + milliseconds))),
});

const otherClause = fc.constantFrom(
  { index: "cql.allRecords", relation: "=", term: "1" },
  { index: "nowhere", relation: "<>", term: "1" },
  { index: "metadata.createdByUserId", relation: "=", term: '""' },
  { index: "fileDefinitions.name", relation: "==", term: "*" },
);

const clause = fc
  .oneof(
    { weight: 4, arbitrary: statusClause },
    { weight: 4, arbitrary: idClause },
    { weight: 4, arbitrary: timeClause },
    { weight: 1, arbitrary: otherClause },
  )
  .map(({ index, relation, term }) => `${index} ${relation} ${term}`);

const { query } = fc.letrec<{ query: string }>((tie) => ({
  query: fc.oneof(
    { maxDepth: 3, depthIdentifier: "query" },
    clause,
    fc
      .tuple(
        fc.array(fc.tuple(tie("query"), fc.constantFrom("and", "or", "not")), { maxLength: 3 }),
        tie("query"),
        fc.boolean(),
      )
      .map(([parts, last, isParenthesis]) => {
        const text = `${parts.map(([part, word]) => `${part} ${word} `).join("")}${last}`;
        return isParenthesis ? `(${text})` : text;
      }),
  ),
}));

describe("a query over definitions", () => {
  it("finds in the database what it finds in the same definitions as JSON", async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        const ids = await find(text);
        expect([text, ids]).toEqual([text, filter(text)]);
        if (ids.length > 0 && ids.length < definitions.length) found++;
      }),
      { numRuns: 300 },
    );
    expect(found).toBeGreaterThan(100);
  });

  it.each([
    ["id=71a43ec9", 0],
    ['id=="\0" or metadata.createdByUserId=="\0" or metaJobExecutionId=="\ud800*"', 0],
    ['cql.allRecords=1 not (id=="\0" or metadata.createdByUserId=="\ud800")', 30],
    ["createdDate>0000-01-01", 30],
    ["createdDate<=9999-12-31T23:59:59.999-1200", 30],
    ["metadata.updatedDate>=0000-01-01 and createDate<9999-12-31*", 30],
    ['metaJobExecutionId=="%" or id==_*', 0],
    [`id=="' or true; drop table sessions; --"`, 0],
    [`"x' or true --"<>"1"`, 0],
    ["createdDate==2019-03-21", 8],
  ])("is answered by the database whatever it holds: %j", async (text, count) => {
    expect(await find(text)).toHaveLength(count);
  });

  it("is answered by the database however long a term is, and however many wildcards are in it", async () => {
    expect(await find(`id==${"x".repeat(8000)}`)).toEqual([]);
    expect(await find(`id=="${"*0".repeat(4000)}" or metaJobExecutionId=="${"*-*".repeat(4).repeat(5)}"`)).toEqual([]);
    expect(await find(`metadata.updatedByUserId=="${"*".repeat(8000)}"`)).toHaveLength(20);
  });

  it.each([
    "metadata.createdByUserId==* or id==*",
    "status==NEW or cql.allRecords=1",
    "cql.allRecords=1 or metadata.createdByUserId<>x",
    "nowhere==x or status<>NEW or cql.allRecords=1 not nowhere==x",
    'status==NEW or (cql.allRecords=1 not status=="x\\" or true") sortBy createdDate',
  ])("never finds another user's beside the filter by owner: %s (P9)", async (text) => {
    const owner: Predicate<SessionField> = { attribute: ["createdByUserId"], is: "eq", value: users[0]! };
    const own = await list(owner);
    const { where } = compileDefinitionQuery(parseCql(text));
    expect((await list(where)).length).toBeGreaterThan(own.length);
    const found = await list({ all: [owner, where] });
    expect(found.length).toBeGreaterThan(0);
    expect(own).toEqual(expect.arrayContaining([...found]));
  });

  it("that would close a parenthesis which it did not open is refused (P9)", () => {
    expect(() => parseCql("id==x) or (cql.allRecords=1")).toThrow(
      expect.objectContaining({ name: "CqlError", near: ")" }),
    );
  });

  it("never finds another user's beside the filter by owner, whatever it is (P9)", async () => {
    const owner: Predicate<SessionField> = { attribute: ["createdByUserId"], is: "eq", value: users[0]! };
    const own = await list(owner);
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        const { where } = compileDefinitionQuery(parseCql(text));
        const all = await list(where);
        expect([text, await list({ all: [owner, where] })]).toEqual([text, all.filter((id) => own.includes(id))]);
      }),
      { numRuns: 60 },
    );
  });
});
