// Every sample of the two documents, sent to a server as it is printed, and what is printed as the answer.
import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../pull/scene.js";
import { thumbprintOf } from "../../sources/thumbprint-of.js";
import { serve } from "../../sources/web.js";
import { makeCertificate } from "../../support/certificate.js";
import { send, sessionFiles, type VsphereAnswer, updateSessions } from "../../support/vsphere.js";
import { elementAt, parseXml, type XmlNode } from "../../support/xml.js";
import {
  addSample,
  createSample,
  fill,
  printedFile,
  printedId,
  type Representation,
  representations,
  type Sample,
} from "./seed-samples.js";
import { digest, useVsphereServer } from "./vsphere-server.js";

const scene = useVsphereServer({ env: { SLIPWAY_PULL_ALLOW: "127.0.0.1" } });

const contentTypes = { JSON: "application/json", XML: "application/xml" } as const;
const answerTypes = ["JSON", "XML"] as const;
type AnswerType = (typeof answerTypes)[number];

/** Sends a sample to one of its paths. */
function sendSample(
  { request }: Sample,
  asked: { representation: Representation; path: string; accept: AnswerType; words: Record<string, string> },
): Promise<VsphereAnswer> {
  const { representation, accept } = asked;
  const path = fill(asked.path, asked.words);
  const headers = { accept: contentTypes[accept] };
  const text = fill(request[representation], asked.words);
  if (representation === "parameters") {
    // Their lines are layout, and which sign begins them follows from what is before them.
    const pairs = text.replaceAll("\n", "").slice(1);
    return scene.vsphere.ask("POST", `${path}${path.includes("?") ? "&" : "?"}${pairs}`, { headers });
  }
  const contentType = contentTypes[representation];
  return scene.vsphere.ask("POST", path, { body: text, headers: { ...headers, "content-type": contentType } });
}

/** Every representation, on every path, with `/rest` in front and without, answered in either format. */
function waysOf({ paths }: Sample) {
  return representations.flatMap((representation) =>
    ["", "/rest"].flatMap((prefix) =>
      paths.flatMap((path) => answerTypes.map((accept) => [representation, prefix + path, accept] as const)),
    ),
  );
}

function typeOf({ headers }: VsphereAnswer): string | null {
  return headers.get("content-type");
}

const ten = new TextEncoder().encode("ten bytes.");
const checksum = digest("sha1", ten);

describe("a session", () => {
  it.each(waysOf(createSample))(
    "is created by the sample in %s at POST %s, and answered in %s as it is printed",
    async (representation, path, accept) => {
      const item = await scene.item();
      const words = { item, token: randomUUID() };
      const answer = await sendSample(createSample, { representation, path, accept, words });
      expect([answer.status, typeOf(answer)]).toEqual([200, contentTypes[accept]]);
      const [session = ""] = await scene.vsphere.value<string[]>("GET", `${updateSessions}?library_item_id=${item}`);
      expect(session).toMatch(/^[0-9a-f-]{36}$/);
      const printed = fill(printedId[accept], { session });
      if (accept === "JSON") expect(JSON.parse(answer.text)).toEqual(JSON.parse(printed));
      else expect(parseXml(answer.text)).toEqual(parseXml(printed));
    },
  );

  it.each(representations)("is as every new one is, whatever the sample in %s says of it", async (representation) => {
    const item = await scene.item();
    const words = { item, token: randomUUID() };
    const asked = { representation, path: createSample.paths[0], accept: "JSON", words } as const;
    const { value: id } = JSON.parse((await sendSample(createSample, asked)).text);
    const { expiration_time: expires, ...session } = await scene.vsphere.session(id);
    expect(session).toEqual({
      id,
      library_item_id: item,
      library_item_content_version: "1",
      client_progress: 0,
      state: "ACTIVE",
      preview_info: { state: "NOT_APPLICABLE" },
    });
    expect(Date.parse(expires)).toBeGreaterThan(Date.now());
  });

  it("is the same one for the same token in all representations, at all paths", async () => {
    const words = { item: await scene.item(), token: randomUUID() };
    const answers: unknown[] = [];
    for (const [representation, path, accept] of waysOf(createSample)) {
      if (accept === "XML") continue;
      const { text } = await sendSample(createSample, { representation, path, accept, words });
      answers.push(JSON.parse(text));
    }
    expect(answers).toHaveLength(12);
    expect(answers).toEqual(answers.map(() => ({ value: expect.stringMatching(/^[0-9a-f-]{36}$/) })));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it.each(representations)("is not created with the token `string`, which is printed in %s", async (representation) => {
    const item = await scene.item();
    const words = { item, token: "string" };
    const asked = { representation, path: createSample.paths[0], accept: "JSON", words } as const;
    const { status, text } = await sendSample(createSample, asked);
    expect([status, JSON.parse(text)]).toEqual([
      400,
      {
        type: "com.vmware.vapi.std.errors.invalid_argument",
        value: {
          messages: [
            {
              id: "slipway.client_token_malformed",
              default_message: 'client_token is a UUID, not "string"',
              args: ["string"],
            },
          ],
        },
      },
    ]);
    expect(await scene.vsphere.value("GET", `${updateSessions}?library_item_id=${item}`)).toEqual([]);
  });
});

describe("a file", () => {
  let session: string;
  beforeAll(async () => {
    session = await scene.vsphere.createSession(await scene.item());
  });

  /** As XML has it: what is printed of a file, in the order in which it is printed. */
  const declared = (accept: AnswerType) => {
    const value = `<value><status>WAITING_FOR_TRANSFER</status><name>string</name><source_type>NONE</source_type>
      <bytes_transferred>0</bytes_transferred>
      <checksum_info><checksum>${checksum}</checksum><algorithm>SHA1</algorithm></checksum_info>
      <keep_in_storage>true</keep_in_storage></value>`;
    if (accept === "XML") return parseXml(`<a:Add-Result xmlns:a="${addSample.namespace}">${value}</a:Add-Result>`);
    return {
      value: {
        bytes_transferred: 0,
        checksum_info: { algorithm: "SHA1", checksum },
        keep_in_storage: true,
        name: "string",
        source_type: "NONE",
        status: "WAITING_FOR_TRANSFER",
      },
    };
  };

  it.each(waysOf(addSample))(
    "is added by the sample in %s at POST %s, its source passed over, and answered in %s",
    async (representation, path, accept) => {
      const words = { session, checksum, source: "NONE" };
      const answer = await sendSample(addSample, { representation, path, accept, words });
      expect([answer.status, typeOf(answer)]).toEqual([200, contentTypes[accept]]);
      const parse = accept === "JSON" ? JSON.parse : parseXml;
      expect(parse(answer.text)).toEqual(declared(accept));
      expect((await scene.vsphere.files(session)).map(({ name }) => name)).toEqual(["string"]);
    },
  );

  it.each(representations)(
    "is added with the checksum `string`, which is printed in %s: beside NONE it is told, and not judged",
    async (representation) => {
      const words = { session, checksum: "string", source: "NONE" };
      const asked = { representation, path: addSample.paths[0], accept: "JSON", words } as const;
      const { status, text } = await sendSample(addSample, asked);
      expect(status).toBe(200);
      expect(JSON.parse(text).value.checksum_info).toEqual({ algorithm: "SHA1", checksum: "string" });
    },
  );

  it.each(representations)(
    "of the sample in %s with PUSH takes the ten bytes, and is applied",
    async (representation) => {
      const item = await scene.item();
      const own = await scene.vsphere.createSession(item);
      const words = { session: own, checksum, source: "PUSH" };
      const asked = { representation, path: addSample.paths[1], accept: "JSON", words } as const;
      const { value } = JSON.parse((await sendSample(addSample, asked)).text);
      expect(await send(value.upload_endpoint.uri, ten)).toMatchObject({ status: 200, text: "{}" });
      await scene.vsphere.act(own, "complete");
      expect(Buffer.from(await scene.vsphere.download(item, "string")).toString()).toBe("ten bytes.");
    },
  );
});

describe("what is printed of a file", () => {
  const certificate = makeCertificate();
  const thumbprint = thumbprintOf(certificate, "sha1");
  let base: string;
  beforeEach(async () => {
    const { url } = await serve(
      (request, response) => {
        if (request.url === "/ten") response.end(ten);
        else response.writeHead(404).end();
      },
      { tls: certificate },
    );
    base = url;
  });

  const pull = (path: string) => ({
    source_type: "PULL",
    source_endpoint: { uri: `${base}/${path}`, ssl_certificate_thumbprint: thumbprint },
  });
  const kinds: readonly (readonly [kind: string, session: () => Promise<string>])[] = [
    ["is to be sent", async () => open({ source_type: "PUSH", size: 10, checksum_info: { checksum } })],
    ["has come", async () => sent(await open({ source_type: "PUSH" }))],
    ["was fetched", async () => settled(await open({ ...pull("ten"), size: 10 }))],
    ["could not be fetched", async () => settled(await open(pull("nothing")))],
  ];

  /** A session with the one file of the samples. */
  async function open(spec: object): Promise<string> {
    const session = await scene.vsphere.createSession(await scene.item());
    await scene.vsphere.add(session, { name: "string", ...spec });
    return session;
  }

  async function sent(session: string): Promise<string> {
    const { upload_endpoint: endpoint } = await scene.vsphere.file(session, "string");
    expect((await send(endpoint!.uri, ten)).status).toBe(200);
    return session;
  }

  async function settled(session: string): Promise<string> {
    const ask = () => scene.vsphere.file(session, "string");
    await until(ask, ({ status }) => status === "READY" || status === "ERROR");
    return session;
  }

  /** Asks for the file of a session; what adding it answers is answered again. */
  async function fileOf(session: string, accept: AnswerType): Promise<string> {
    const path = `${sessionFiles}/id:${session}?~action=get&file_name=string`;
    const { status, text } = await scene.vsphere.ask("POST", path, { headers: { accept: contentTypes[accept] } });
    expect(status).toBe(200);
    return text;
  }

  const printed = elementAt(parseXml(printedFile.XML), "value")!;

  it.each(kinds)("is there in XML, in its order, and the same in JSON, of one that %s", async (_kind, start) => {
    const session = await start();
    const inXml = parseXml(await fileOf(session, "XML"));
    expect(inXml.name).toBe(`{${addSample.namespace}}Get-Result`);
    const value = elementAt(inXml, "value")!;
    // It came with later versions of the API, after all that is printed.
    expect(value.children.at(-1)).toEqual({ name: "keep_in_storage", children: [], text: "true" });
    assertOrder({ ...value, children: value.children.slice(0, -1) }, printed);
    expect(toMembers(value)).toEqual(asTexts(JSON.parse(await fileOf(session, "JSON")).value));
  });

  it("is all there, of one file or another", async () => {
    const found = new Set<string>();
    for (const [, start] of kinds) {
      for (const path of pathsOf(elementAt(parseXml(await fileOf(await start(), "XML")), "value")!)) found.add(path);
    }
    // This server shows no certificate's thumbprint at an address for sending.
    const without = ["upload_endpoint/ssl_certificate_thumbprint"];
    expect([...found].sort()).toEqual(
      [...new Set(pathsOf(printed)), "keep_in_storage"].filter((path) => !without.includes(path)).sort(),
    );
    expect(pathsOf(printed)).toHaveLength(20);
  });

  it("is what it is: sizes, words and addresses", async () => {
    const states: unknown[] = [];
    for (const [, start] of kinds) {
      const { value } = JSON.parse(await fileOf(await start(), "JSON"));
      states.push([value.source_type, value.status, value.bytes_transferred, value.size, value.checksum_info]);
    }
    const sha1 = { algorithm: "SHA1", checksum };
    const sha256 = { algorithm: "SHA256", checksum: digest("sha256", ten) };
    expect(states).toEqual([
      ["PUSH", "WAITING_FOR_TRANSFER", 0, undefined, sha1],
      ["PUSH", "READY", 10, 10, sha256],
      ["PULL", "READY", 10, 10, sha256],
      ["PULL", "ERROR", 0, undefined, undefined],
    ]);
    const session = await settled(await open(pull("nothing")));
    expect((await scene.vsphere.file(session, "string")).source_endpoint).toEqual(pull("nothing").source_endpoint);
  });
});

/** Expects the elements of one to be some of the other's, in the same order, and so further down. */
function assertOrder(node: XmlNode, printed: XmlNode): void {
  const names = node.children.map(({ name }) => name);
  const inPrint = [...new Set(printed.children.map(({ name }) => name))];
  expect(names).toEqual(inPrint.filter((name) => names.includes(name)));
  for (const child of node.children) assertOrder(child, elementAt(printed, child.name)!);
}

/** The ways to all elements of a node. */
function pathsOf(node: XmlNode): readonly string[] {
  return node.children.flatMap((child) => [child.name, ...pathsOf(child).map((path) => `${child.name}/${path}`)]);
}

/** What an element says, as JSON would have it but for its scalars, which are all text. */
function toMembers({ children, text }: XmlNode): unknown {
  if (children.length === 0) return text;
  const members = children.map((child) => {
    const isList = child.name.endsWith("-array");
    return isList ? [child.name.slice(0, -6), child.children.map(toMembers)] : [child.name, toMembers(child)];
  });
  return Object.fromEntries(members);
}

function asTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asTexts);
  if (typeof value !== "object" || value === null) return String(value);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asTexts(member)]));
}
