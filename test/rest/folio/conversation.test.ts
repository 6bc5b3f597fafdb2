// The document's own conversation, by a script with its curl lines; what it prints is told below.
import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { readBack } from "../../rpc/scene.js";
import { openClient } from "../../support/client.js";
import { startServer, type TestServer } from "../../support/server.js";
import { createPrintouts, type Printed } from "./expected-answer.js";
import { addDiku, password, userName } from "./tenant-scene.js";

const run = promisify(execFile);
const script = fileURLToPath(new URL("conversation.sh", import.meta.url));
const bin = fileURLToPath(new URL("../../../src/cli/slipway.cjs", import.meta.url));
const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");

const missing = ["bash", "curl"].filter((program) => spawnSync(program, ["--version"]).error !== undefined);
if (missing.length > 0 && process.env.CI === "true") throw new Error(`not found, and needed: ${missing}`);

/** Printed in the document; nobody's signature here. */
const printedToken = [
  "eyJhbGciOiJIUzI1NiJ9",
  "eyJzdWIiOiJkaWt1X2FkbWluIiwidXNlcl9pZCI6IjVlMWZkMGViLTY0YmYtNWQ0YS1iNmVkLWJiMDg4OTAwOGJiYyIsImNhY2hlX2tleSI6IjVmY2VkODQzLTZlMGItNDgxOC1iZDcwLWU3N2M2ZjQyZWQyNyIsImlhdCI6MTU1MzE4MjUxMSwidGVuYW50IjoiZGlrdSJ9",
  "7te4Y5PYRUmLZHuq1HjkF-HMLwdzTJ2oba613whOlgc",
].join(".");
const printedUser = "5e1fd0eb-64bf-5d4a-b6ed-bb0889008bbc";

interface Answer {
  readonly statusLine: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Heads and body as `curl -D -` prints them, the last head of several. */
function readAnswer(text: string): Answer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  if (head.startsWith("HTTP/1.1 100 ")) return readAnswer(rest.join("\r\n\r\n"));
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line) => [
    line.slice(0, line.indexOf(":")).toLowerCase(),
    line.slice(line.indexOf(":") + 2),
  ]);
  return { statusLine: statusLine.trim(), headers: Object.fromEntries(headers), body: rest.join("\r\n\r\n").trim() };
}

/** What the script prints, by the titles that it gives. */
async function converse(words: readonly string[]): Promise<ReadonlyMap<string, Answer>> {
  const env = { PATH: process.env.PATH, FOLIO_PASSWORD: password };
  const { stdout } = await run("bash", [script, ...words], { env, maxBuffer: 2 ** 24 });
  const answers = stdout.split(/^== /m).slice(1);
  return new Map(
    answers.map((text) => [text.slice(0, text.indexOf("\n")), readAnswer(text.slice(text.indexOf("\n") + 1))]),
  );
}

const metadata = {
  createdDate: "{metadata date}",
  createdByUserId: "{user}",
  updatedDate: "{metadata date}",
  updatedByUserId: "{user}",
};
const waiting = (file: string, name: string): Printed => ({
  id: `{${file}}`,
  name,
  status: "NEW",
  jobExecutionId: `{job of ${file}}`,
  uploadDefinitionId: "{definition}",
  createDate: `{${file} date}`,
});
const uploaded = (file: string, name: string, job = `{job of ${file}}`, definition = "{definition}"): Printed => ({
  id: `{${file}}`,
  sourcePath: `./storage/upload/${definition}/{${file}}/${name}`,
  name,
  status: "UPLOADED",
  jobExecutionId: job,
  uploadDefinitionId: definition,
  createDate: `{${file} date}`,
  uploadedDate: `{upload of ${file} date}`,
});
const definition = (status: string, fileDefinitions: readonly Printed[]): Printed => ({
  id: "{definition}",
  metaJobExecutionId: "{job}",
  status,
  createDate: "{definition date}",
  fileDefinitions,
  metadata,
});

/** What the document prints after each of its curl lines. */
const printed: readonly (readonly [title: string, statusLine: string, body: Printed | undefined])[] = [
  [
    "create a definition of two files",
    "HTTP/1.1 201 Created",
    definition("NEW", [waiting("marc", "marc.mrc"), waiting("marc2", "marc2.mrc")]),
  ],
  [
    "upload the first file",
    "HTTP/1.1 200 OK",
    definition("IN_PROGRESS", [waiting("marc2", "marc2.mrc"), uploaded("marc", "marc.mrc")]),
  ],
  [
    "upload the second file",
    "HTTP/1.1 200 OK",
    definition("LOADED", [uploaded("marc", "marc.mrc"), uploaded("marc2", "marc2.mrc")]),
  ],
  ["delete the second file", "HTTP/1.1 204 No Content", undefined],
  ["read the definition", "HTTP/1.1 200 OK", definition("LOADED", [uploaded("marc", "marc.mrc")])],
  [
    "add a third file",
    "HTTP/1.1 201 Created",
    definition("LOADED", [
      uploaded("marc", "marc.mrc"),
      {
        id: "{marc3}",
        name: "marc3.mrc",
        status: "NEW",
        uploadDefinitionId: "{definition}",
        createDate: "{marc3 date}",
      },
    ]),
  ],
];

/** Of the two lines at the document's end, whose answers it does not print: by its rules for a single file. */
const single = (status: string, file: Printed): Printed => ({
  id: "{single}",
  metaJobExecutionId: "{job of only}",
  status,
  createDate: "{single date}",
  fileDefinitions: [file],
  metadata: { ...metadata, createdDate: "{single metadata date}", updatedDate: "{single metadata date}" },
});
const concluded: typeof printed = [
  [
    "create a definition of one file",
    "HTTP/1.1 201 Created",
    single("NEW", {
      id: "{only}",
      name: "marc.mrc",
      status: "NEW",
      jobExecutionId: "{job of only}",
      uploadDefinitionId: "{single}",
      createDate: "{only date}",
    }),
  ],
  ["upload its file", "HTTP/1.1 200 OK", single("LOADED", uploaded("only", "marc.mrc", "{job of only}", "{single}"))],
];

describe.runIf(missing.length === 0).each([
  ["with a token of its own login", false],
  ["behind Okapi, with the printed token", true],
] as const)("the document's conversation by curl, %s,", (_mode, isBehindOkapi) => {
  let server: TestServer;
  let account: Awaited<ReturnType<typeof addDiku>>;
  let answers: Awaited<ReturnType<typeof converse>>;
  beforeAll(async () => {
    server = await startServer({ env: { SLIPWAY_FOLIO_TRUST_OKAPI: isBehindOkapi ? "1" : "0" } });
    account = await addDiku(server);
    answers = await converse([server.url, ...(isBehindOkapi ? [printedToken] : [])]);
  });
  afterAll(() => server?.kill());

  it("consists of the document's calls in its order", () => {
    const titlesOf = (told: typeof printed) => told.map(([title]) => title);
    const login = (title: string) => (isBehindOkapi ? [] : [title]);
    expect([...answers.keys()]).toEqual([
      ...login("log in"),
      ...titlesOf(printed),
      ...login("log in again"),
      ...titlesOf(concluded),
    ]);
  });

  const told = isBehindOkapi ? "leaves logins to another module" : "answers its login with a token in a header";
  it(told, async () => {
    if (isBehindOkapi) {
      const login = { method: "POST", headers: { "x-okapi-tenant": "diku", "content-type": "application/json" } };
      const body = JSON.stringify({ username: userName, password });
      expect((await fetch(`${server.url}/bl-users/login`, { ...login, body })).status).toBe(404);
      return;
    }
    for (const title of ["log in", "log in again"]) {
      const { statusLine, headers, body } = answers.get(title)!;
      expect(statusLine).toBe("HTTP/1.1 201 Created");
      const [, claims = ""] = (headers["x-okapi-token"] ?? "").split(".");
      expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({
        sub: userName,
        user_id: account.userId,
        tenant: "diku",
      });
      expect(JSON.parse(body)).toMatchObject({ user: { id: account.userId, username: userName }, tenant: "diku" });
    }
  });

  it("gets the documented answers member by member, but for ids and dates, which agree with each other", () => {
    const { expectBody } = createPrintouts({ user: isBehindOkapi ? printedUser : account.userId });
    for (const [title, statusLine, body] of [...printed, ...concluded]) {
      const answer = answers.get(title)!;
      expect([title, answer.statusLine]).toEqual([title, statusLine]);
      expect(answer.headers["content-type"]).toBe(body === undefined ? undefined : "application/json");
      if (body === undefined) expect(answer.body).toBe("");
      // A member a line, with blanks around the colon, as it is printed.
      else expect(answer.body).toMatch(/^\{\n {2}"id" : "[^"]+",\n {2}"metaJobExecutionId" : /);
      if (body !== undefined) expectBody(answer.body, body);
    }
  });

  it("stores what curl sends, which is the file without the ends of its lines", async () => {
    const client = openClient({ url: server.url, authorization: account.authorization });
    const place = (title: string, name: string) => {
      const { id, fileDefinitions } = JSON.parse(answers.get(title)!.body);
      const file = fileDefinitions.find((one: { readonly name: string }) => one.name === name);
      return { sessionId: id as string, fileId: file.id as string };
    };
    const content = Buffer.from(`00026nam a2200025 i 4500 marc${"m".repeat(1_500_000)}\x1e\x1d`);
    for (const title of ["read the definition", "upload its file"]) {
      const stored = await readBack(client, place(title, "marc.mrc"));
      expect(stored.equals(content), title).toBe(true);
    }
    client.close();
  });
});

describe.runIf(missing.length === 0)("with a server where users log in", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.kill());

  const makeFolder = () => mkdtemp(join(inject("runFolder"), "folio-"));
  /** What bash prints that runs these lines in a folder. */
  async function runLines(lines: string, folder: string): Promise<string> {
    const env = { PATH: process.env.PATH, HOME: folder, SLIPWAY_URL: server.url, SLIPWAY_TOKEN: server.token };
    const { stdout } = await run("bash", ["-euo", "pipefail", "-c", lines], { cwd: folder, env, maxBuffer: 2 ** 24 });
    return stdout;
  }

  it("the README's lines make the tenant and its user, log in, upload, and read", async () => {
    const folder = await makeFolder();
    const section = readme.split(/^#+ /m).find((text) => text.startsWith("FOLIO\n")) ?? "";
    const lines = /^```\n(.*?)^```$/ms.exec(section)?.[1] ?? "";
    expect(lines).toContain("http://127.0.0.1:8080");
    // `npx` would look for the program beside the package's own.
    const npx = `npx() { shift; "${process.execPath}" "${bin}" "$@"; }\n`;
    const printed = await runLines(npx + lines.replaceAll("http://127.0.0.1:8080", server.url), folder);
    const [said = "", sent = "{}", read = "{}"] = printed.split(/^(?=\{$)/m);
    expect(said).toMatch(/^created tenant diku .*\ncreated user diku\/diku_admin, uploader .*\n$/);
    for (const body of [sent, read]) {
      // What follows the last answer is what the download says.
      const definition = JSON.parse(/^\{$.*?^\}$/ms.exec(body)?.[0] ?? "{}");
      expect(definition).toMatchObject({
        status: "LOADED",
        fileDefinitions: [{ name: "marc.mrc", status: "UPLOADED" }],
      });
    }
    const [file, back] = await Promise.all(["marc.mrc", "back/marc.mrc"].map((name) => readFile(join(folder, name))));
    expect(file?.length).toBe(1_000_000);
    expect(back?.equals(file ?? Buffer.alloc(0))).toBe(true);
  });

  it("the calls of the module's own script store a file byte by byte, and hand it over", async () => {
    const { authorization } = await addDiku(server, { tenant: "karate" });
    const content = Buffer.concat([randomBytes(1_100_000), Buffer.from("\r\n\0\n")]);
    const folder = await makeFolder();
    await writeFile(join(folder, "records.mrc"), content);
    const lines = `
      url=${server.url} login='{"username":"${userName}","password":"${password}"}'
      json='content-type: application/json' tenant='x-okapi-tenant: karate'
      token=$(curl -sS -D - -o login.json -H "$tenant" -H "$json" -d "$login" "$url/authn/login" |
        sed -n 's/^x-okapi-token: \\([^[:cntrl:]]*\\).*/\\1/p')
      folio() { curl -sS -H "$tenant" -H "x-okapi-token: $token" "$@"; }
      definitions=$url/data-import/uploadDefinitions
      folio -H "$json" -d '{"fileDefinitions":[{"size":1075,"name":"records.mrc"}]}' -o made.json "$definitions"
      id=$(node -pe 'JSON.parse(fs.readFileSync("made.json")).id')
      file=$(node -pe 'JSON.parse(fs.readFileSync("made.json")).fileDefinitions[0].id')
      folio -D head.txt -o sent.json -X POST -H 'content-type: application/octet-stream' -H 'transfer-encoding: chunked' \\
        -H 'expect: 100-continue' --data-binary @records.mrc "$definitions/$id/files/$file"
      printf '{"uploadDefinition":%s,"jobProfileInfo":{"id":"6f7f3cd7-9f24-42eb-ae91-91af1cd54d0a","name":"MARC","dataType":"MARC"}}' \\
        "$(cat sent.json)" >run.json
      folio -o run.out -w '%{http_code}\\n' -H "$json" -d @run.json "$definitions/$id/processFiles?defaultMapping=true"
      cat head.txt
      folio "$definitions/$id"
    `;
    const printed = await runLines(lines, folder);
    const [statuses = "", body = ""] = printed.split(/^(?=\{$)/m);
    expect(statuses.match(/^(?:204|HTTP.*)$/gm)).toEqual(["204", "HTTP/1.1 100 Continue", "HTTP/1.1 200 OK"]);
    const definition = JSON.parse(body);
    expect(definition).toMatchObject({ status: "COMPLETED", fileDefinitions: [{ status: "UPLOADED", size: 1075 }] });
    const client = openClient({ url: server.url, authorization });
    const stored = await readBack(client, { sessionId: definition.id, fileId: definition.fileDefinitions[0].id });
    client.close();
    expect(stored.equals(content)).toBe(true);
  });
});
