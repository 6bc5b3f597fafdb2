// Every error that the two documents list, for every way to write the request, told in JSON and in XML.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import { openVsphere, type VsphereClient } from "../../support/vsphere.js";
import { elementAt, parseXml } from "../../support/xml.js";
import { carriers, carry, type Input } from "./representations.js";
import { useVsphereServer } from "./vsphere-server.js";

const scene = useVsphereServer({ env: { SLIPWAY_PULL_ALLOW: "127.0.0.1" } });

const sessionsPath = "/com/vmware/content/library/item/update-session";
const filesPath = "/com/vmware/content/library/item/updatesession/file";
const create = { path: sessionsPath, name: "Create", service: "content/library/item/update_session" };
const add = { path: `${filesPath}?~action=add`, name: "Add", service: "content/library/item/updatesession/file" };
const nobodys = "00000000-0000-4000-8000-000000000000";
const sha1 = "7ded44ec6461ec2ce9e318cbbe644d85e202f99b";

let uploader: VsphereClient;
let busyItem: string;
let subscribedItem: string;
let session: string;
let uploadersSession: string;

beforeAll(async () => {
  const { vsphere, client, server, libraryId } = scene;
  busyItem = await scene.item();
  await vsphere.createSession(busyItem);
  session = await vsphere.createSession(await scene.item());
  const attributes = { vsphere: { type: "SUBSCRIBED" } };
  const { library } = await client.catalog.createLibrary({ name: "published elsewhere", attributes });
  const { item } = await client.catalog.createItem({ libraryId: library!.id, name: "an item of it" });
  subscribedItem = item!.id;
  const password = "a password of an uploader";
  await client.access.createUser({ name: "uploader", role: Role.UPLOADER, password });
  uploader = await openVsphere(server, { user: "uploader", password });
  uploadersSession = await uploader.createSession(await uploader.createItem(libraryId, "item of the uploader"));
});

interface Refused {
  readonly title: string;
  readonly input: () => Input;
  readonly status: number;
  readonly type: string;
  readonly message: string;
  readonly args?: () => readonly string[];
  readonly by?: () => VsphereClient;
}

/** Asks for what is refused in every way; every way gets the same answer. */
function itRefuses({ path, name, service }: typeof create, refusals: readonly Refused[]): void {
  const titled = refusals.map((refused) => [refused.title, refused.status, refused.type, refused] as const);
  describe.each(titled)("%s is refused with %i %s", (_title, _status, _type, refused) => {
    for (const carrier of carriers) {
      for (const prefix of ["/rest", ""]) {
        it(`when it comes by ${carrier} to ${prefix}/com`, async () => {
          const by = refused.by?.() ?? scene.vsphere;
          const asked = carry(carrier, prefix + path, refused.input(), { name, service });
          const ask = (accept: string) =>
            by.ask("POST", asked.path, { ...asked, headers: { ...asked.headers, accept } });
          const type = `com.vmware.vapi.std.errors.${refused.type}`;

          const inJson = await ask("application/json");
          expect([inJson.status, inJson.headers.get("content-type")]).toEqual([refused.status, "application/json"]);
          const [message] = JSON.parse(inJson.text).value.messages;
          expect(JSON.parse(inJson.text)).toEqual({ type, value: { messages: [message] } });
          expect(message).toEqual({
            id: expect.stringMatching(/^(slipway|com\.vmware)\./),
            default_message: expect.stringContaining(refused.message),
            args: refused.args?.() ?? expect.any(Array),
          });

          const inXml = await ask("application/xml");
          expect([inXml.status, inXml.headers.get("content-type")]).toEqual([refused.status, "application/xml"]);
          const root = parseXml(inXml.text);
          expect(root.name).toBe("{http://vmware.com/vapi/std/errors}Error");
          expect(root.children.map((child) => child.name)).toEqual(["type", "value"]);
          expect(elementAt(root, "type")?.text).toBe(type);
          const told = elementAt(root, "value", "messages-array", 0)!;
          expect(told.children.map((child) => child.name)).toEqual(["default_message", "id", "args-array"]);
          expect([elementAt(told, "id")?.text, elementAt(told, "default_message")?.text]).toEqual([
            message.id,
            message.default_message,
          ]);
          expect(elementAt(told, "args-array")?.children.map(({ text }) => text)).toEqual(message.args);
        });
      }
    }
  });
}

describe("creating a session", () => {
  itRefuses(create, [
    {
      title: "a specification without an item",
      input: () => ({ create_spec: { client_progress: 10 } }),
      status: 400,
      type: "invalid_argument",
      message: "create_spec.library_item_id is missing",
      args: () => ["create_spec.library_item_id"],
    },
    {
      title: "no specification",
      input: () => ({ client_token: nobodys }),
      status: 400,
      type: "invalid_argument",
      message: "create_spec is missing",
    },
    {
      title: "a state that there is not",
      input: () => ({ create_spec: { library_item_id: busyItem, state: "LAZY" } }),
      status: 400,
      type: "invalid_argument",
      message: 'create_spec.state has to be one of ACTIVE, DONE, ERROR, CANCELED, and is "LAZY"',
    },
    {
      title: "a token that is no UUID",
      input: () => ({ client_token: "string", create_spec: { library_item_id: busyItem } }),
      status: 400,
      type: "invalid_argument",
      message: 'client_token is a UUID, not "string"',
      args: () => ["string"],
    },
    {
      title: "what a warning means, said twice",
      input: () => ({
        create_spec: {
          library_item_id: busyItem,
          warning_behavior: [
            { type: "EXPIRED_CERTIFICATE", ignored: true },
            { type: "EXPIRED_CERTIFICATE", ignored: false },
          ],
        },
      }),
      status: 400,
      type: "invalid_argument",
      message: "more than once",
      args: () => ["EXPIRED_CERTIFICATE"],
    },
    {
      title: "an item of a subscribed library",
      input: () => ({ create_spec: { library_item_id: subscribedItem } }),
      status: 400,
      type: "invalid_element_type",
      message: "belongs to a subscribed library",
      args: () => [subscribedItem],
    },
    {
      title: "an item that does not exist",
      input: () => ({ create_spec: { library_item_id: nobodys } }),
      status: 404,
      type: "not_found",
      message: nobodys,
    },
    {
      title: "an item by the id that is printed",
      input: () => ({ create_spec: { library_item_id: "obj-103" } }),
      status: 404,
      type: "not_found",
      message: "obj-103",
    },
    {
      title: "an item with a session",
      input: () => ({ create_spec: { library_item_id: busyItem } }),
      status: 400,
      type: "resource_busy",
      message: "has an open session that excludes this one",
    },
  ]);
});

describe("adding a file", () => {
  const file = (spec: Input) => () => ({ update_session_id: session, file_spec: spec });
  const invalid = { status: 400, type: "invalid_argument" } as const;
  afterAll(async () => {
    expect(await scene.vsphere.files(session)).toEqual([]);
  });

  itRefuses(add, [
    {
      ...invalid,
      title: "a file without a name",
      input: file({ source_type: "PUSH" }),
      message: "file_spec.name is missing",
    },
    { ...invalid, title: "an empty name", input: file({ name: "", source_type: "PUSH" }), message: "name" },
    { ...invalid, title: "a way up", input: file({ name: "../a", source_type: "PUSH" }), message: "../a" },
    {
      ...invalid,
      title: "a source of no kind",
      input: file({ name: "a", source_type: "BOGUS" }),
      message: 'file_spec.source_type has to be one of NONE, PUSH, PULL, and is "BOGUS"',
    },
    {
      ...invalid,
      title: "PULL from nowhere",
      input: file({ name: "a", source_type: "PULL" }),
      message: "file_spec.source_endpoint is missing",
      args: () => ["file_spec.source_endpoint"],
    },
    {
      ...invalid,
      title: "PULL from what is no address",
      input: file({ name: "a", source_type: "PULL", source_endpoint: { uri: "nowhere at all" } }),
      message: "the source URI is malformed: it has no scheme",
    },
    {
      ...invalid,
      title: "PULL by a scheme that nobody speaks",
      input: file({ name: "a", source_type: "PULL", source_endpoint: { uri: "gopher://127.0.0.1/a" } }),
      message: "gopher",
    },
    {
      ...invalid,
      title: "a thumbprint that is none",
      input: file({
        name: "a",
        source_type: "PULL",
        source_endpoint: { uri: "https://127.0.0.1/a", ssl_certificate_thumbprint: "string" },
      }),
      message: "thumbprint",
    },
    {
      ...invalid,
      title: "a size that is no whole number",
      input: file({ name: "a", source_type: "PUSH", size: 1.5 }),
      message: "file_spec.size has to be a whole number",
    },
    {
      ...invalid,
      title: "a checksum that is none",
      input: file({ name: "a", source_type: "PUSH", checksum_info: { algorithm: "SHA1", checksum: "string" } }),
      message: "string",
    },
    {
      ...invalid,
      title: "a checksum of another algorithm's length",
      input: file({ name: "a", source_type: "PUSH", checksum_info: { algorithm: "SHA256", checksum: sha1 } }),
      message: "sha256",
    },
    {
      ...invalid,
      title: "an algorithm that is not known",
      input: file({ name: "a", source_type: "PUSH", checksum_info: { algorithm: "CRC32", checksum: "00000000" } }),
      message: "file_spec.checksum_info.algorithm has to be one of",
    },
    {
      ...invalid,
      title: "no session",
      input: () => ({ file_spec: { name: "a", source_type: "PUSH" } }),
      message: "update_session_id is missing",
    },
    {
      title: "a session that does not exist",
      input: () => ({ update_session_id: nobodys, file_spec: { name: "a", source_type: "PUSH" } }),
      status: 404,
      type: "not_found",
      message: nobodys,
    },
    {
      title: "a session by the id that is printed",
      input: () => ({ update_session_id: "obj-103", file_spec: { name: "a", source_type: "PUSH" } }),
      status: 404,
      type: "not_found",
      message: "obj-103",
    },
    {
      title: "somebody else's session",
      input: () => ({ update_session_id: session, file_spec: { name: "a", source_type: "PUSH" } }),
      by: () => uploader,
      status: 404,
      type: "not_found",
      message: "session",
    },
    ...["file:///srv/images/a.iso", "ds:///vmfs/volumes/1234-abcd/a.iso"].map((uri) => ({
      title: `PULL from ${uri} by somebody who may not read storage`,
      input: () => ({
        update_session_id: uploadersSession,
        file_spec: { name: "a", source_type: "PULL", source_endpoint: { uri } },
      }),
      by: () => uploader,
      status: 403,
      type: "unauthorized",
      message: "read_storage",
    })),
  ]);

  it("by PULL from where HTTP leads takes no such privilege", async () => {
    const spec = { name: "b", source_type: "PULL", source_endpoint: { uri: "http://127.0.0.1:9/b" } };
    expect(await uploader.add(uploadersSession, spec)).toMatchObject({ name: "b", source_type: "PULL" });
  });
});
