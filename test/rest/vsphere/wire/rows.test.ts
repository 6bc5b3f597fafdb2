import { describe, expect, it } from "vitest";
import { linesOf } from "../../../../src/rest/vsphere/wire/lines.js";
import { openEcho, operations } from "./echo-dialect.js";

const content = "/com/vmware/content";
const item = `${content}/library/item`;
const updates = `${item}/update-session`;
const files = `${item}/updatesession/file`;
const downloads = `${item}/download-session`;
const downloadFiles = `${item}/downloadsession/file`;
const login = "/com/vmware/cis/session";

/** Documented URLs of 6.x, each found with `/rest` in front and without. */
const restLines: readonly (readonly [line: string, operation: string])[] = [
  [`POST ${login}`, "cis.session.create"],
  [`POST ${login}?~action=create`, "cis.session.create"],
  [`POST ${login}?~action=get`, "cis.session.get"],
  [`GET ${login}`, "cis.session.get"],
  [`DELETE ${login}`, "cis.session.delete"],
  [`POST ${login}?~action=delete`, "cis.session.delete"],

  [`POST ${updates}`, "content.library.item.update_session.create"],
  [`POST ${updates}?~action=create`, "content.library.item.update_session.create"],
  [`GET ${updates}/id:u`, "content.library.item.update_session.get"],
  [`POST ${updates}/id:u?~action=get`, "content.library.item.update_session.get"],
  [`POST ${updates}?~action=get&update_session_id=u`, "content.library.item.update_session.get"],
  [`GET ${updates}`, "content.library.item.update_session.list"],
  [`GET ${updates}?library_item_id=i`, "content.library.item.update_session.list"],
  [`POST ${updates}?~action=list`, "content.library.item.update_session.list"],
  [`POST ${updates}/id:u?~action=complete`, "content.library.item.update_session.complete"],
  [`POST ${updates}?~action=complete&update_session_id=u`, "content.library.item.update_session.complete"],
  [`POST ${updates}/id:u?~action=keep-alive`, "content.library.item.update_session.keep_alive"],
  [`POST ${updates}?~action=keep-alive&update_session_id=u`, "content.library.item.update_session.keep_alive"],
  [`POST ${updates}/id:u?~action=cancel`, "content.library.item.update_session.cancel"],
  [`POST ${updates}?~action=cancel&update_session_id=u`, "content.library.item.update_session.cancel"],
  [`POST ${updates}/id:u?~action=fail`, "content.library.item.update_session.fail"],
  [`POST ${updates}?~action=fail&update_session_id=u`, "content.library.item.update_session.fail"],
  [`PATCH ${updates}/id:u`, "content.library.item.update_session.update"],
  [`POST ${updates}/id:u?~action=update`, "content.library.item.update_session.update"],
  [`POST ${updates}?~action=update&update_session_id=u`, "content.library.item.update_session.update"],
  [`DELETE ${updates}/id:u`, "content.library.item.update_session.delete"],
  [`POST ${updates}/id:u?~action=delete`, "content.library.item.update_session.delete"],
  [`POST ${updates}?~action=delete&update_session_id=u`, "content.library.item.update_session.delete"],

  [`POST ${files}/id:u?~action=add`, "content.library.item.updatesession.file.add"],
  [`POST ${files}?~action=add&update_session_id=u`, "content.library.item.updatesession.file.add"],
  [`POST ${files}/id:u?~action=get&file_name=f`, "content.library.item.updatesession.file.get"],
  [`POST ${files}?~action=get&update_session_id=u&file_name=f`, "content.library.item.updatesession.file.get"],
  [`GET ${files}?update_session_id=u`, "content.library.item.updatesession.file.list"],
  [`POST ${files}/id:u?~action=list`, "content.library.item.updatesession.file.list"],
  [`POST ${files}?~action=list&update_session_id=u`, "content.library.item.updatesession.file.list"],
  [`POST ${files}/id:u?~action=remove&file_name=f`, "content.library.item.updatesession.file.remove"],
  [`POST ${files}?~action=remove&update_session_id=u&file_name=f`, "content.library.item.updatesession.file.remove"],
  [`POST ${files}/id:u?~action=validate`, "content.library.item.updatesession.file.validate"],
  [`POST ${files}?~action=validate&update_session_id=u`, "content.library.item.updatesession.file.validate"],
  [`POST ${files}?~action=probe`, "content.library.item.updatesession.file.probe"],

  [`POST ${content}/local-library`, "content.local_library.create"],
  [`GET ${content}/local-library`, "content.local_library.list"],
  [`GET ${content}/local-library/id:l`, "content.local_library.get"],
  [`PATCH ${content}/local-library/id:l`, "content.local_library.update"],
  [`DELETE ${content}/local-library/id:l`, "content.local_library.delete"],
  [`POST ${content}/local-library/id:l?~action=delete`, "content.local_library.delete"],
  [`DELETE ${content}/local-library/id:l?~action=force-delete`, "content.local_library.force_delete"],
  [`POST ${content}/local-library/id:l?~action=force-delete`, "content.local_library.force_delete"],
  [`POST ${content}/local-library?~action=force-delete&library_id=l`, "content.local_library.force_delete"],
  [`GET ${content}/library`, "content.library.list"],
  [`GET ${content}/library/id:l`, "content.library.get"],
  [`PATCH ${content}/library/id:l`, "content.library.update"],
  [`POST ${content}/library?~action=find`, "content.library.find"],
  [`POST ${content}/subscribed-library`, "content.subscribed_library.create"],
  [`GET ${content}/subscribed-library`, "content.subscribed_library.list"],
  [`GET ${content}/subscribed-library/id:l`, "content.subscribed_library.get"],
  [`PATCH ${content}/subscribed-library/id:l`, "content.subscribed_library.update"],
  [`DELETE ${content}/subscribed-library/id:l`, "content.subscribed_library.delete"],

  [`POST ${item}`, "content.library.item.create"],
  [`GET ${item}/id:i`, "content.library.item.get"],
  [`GET ${item}?library_id=l`, "content.library.item.list"],
  [`POST ${item}/id:l?~action=list`, "content.library.item.list"],
  [`POST ${item}?~action=find`, "content.library.item.find"],
  [`PATCH ${item}/id:i`, "content.library.item.update"],
  [`DELETE ${item}/id:i`, "content.library.item.delete"],
  [`POST ${item}/id:i?~action=copy`, "content.library.item.copy"],
  [`GET ${item}/file?library_item_id=i`, "content.library.item.file.list"],
  [`POST ${item}/file/id:i?~action=get&name=f`, "content.library.item.file.get"],
  [`GET ${item}/storage?library_item_id=i`, "content.library.item.storage.list"],
  [`POST ${item}/storage/id:i?~action=get&file_name=f`, "content.library.item.storage.get"],

  [`POST ${downloads}`, "content.library.item.download_session.create"],
  [`GET ${downloads}/id:d`, "content.library.item.download_session.get"],
  [`GET ${downloads}`, "content.library.item.download_session.list"],
  [`DELETE ${downloads}/id:d`, "content.library.item.download_session.delete"],
  [`POST ${downloads}/id:d?~action=cancel`, "content.library.item.download_session.cancel"],
  [`POST ${downloads}/id:d?~action=fail`, "content.library.item.download_session.fail"],
  [`POST ${downloads}/id:d?~action=keep-alive`, "content.library.item.download_session.keep_alive"],
  [`GET ${downloadFiles}?download_session_id=d`, "content.library.item.downloadsession.file.list"],
  [`POST ${downloadFiles}/id:d?~action=prepare&file_name=f`, "content.library.item.downloadsession.file.prepare"],
  [`POST ${downloadFiles}/id:d?~action=get&file_name=f`, "content.library.item.downloadsession.file.get"],
];

const api = "/api/content/library/item";
const apiUpdate = `${api}/update-session`;

const apiLines: readonly (readonly [line: string, operation: string])[] = [
  ["POST /api/session", "cis.session.create"],
  ["GET /api/session", "cis.session.get"],
  ["DELETE /api/session", "cis.session.delete"],
  [`POST ${apiUpdate}`, "content.library.item.update_session.create"],
  [`POST ${apiUpdate}?action=create`, "content.library.item.update_session.create"],
  [`GET ${apiUpdate}/u`, "content.library.item.update_session.get"],
  [`GET ${apiUpdate}`, "content.library.item.update_session.list"],
  [`GET ${apiUpdate}?library_item_id=i`, "content.library.item.update_session.list"],
  [`POST ${apiUpdate}/u?action=complete`, "content.library.item.update_session.complete"],
  [`POST ${apiUpdate}/u?action=keep-alive`, "content.library.item.update_session.keep_alive"],
  [`POST ${apiUpdate}/u?action=cancel`, "content.library.item.update_session.cancel"],
  [`POST ${apiUpdate}/u?action=fail`, "content.library.item.update_session.fail"],
  [`PATCH ${apiUpdate}/u`, "content.library.item.update_session.update"],
  [`DELETE ${apiUpdate}/u`, "content.library.item.update_session.delete"],
  [`POST ${apiUpdate}/u/file`, "content.library.item.updatesession.file.add"],
  [`POST ${apiUpdate}/u/file?action=add`, "content.library.item.updatesession.file.add"],
  [`GET ${apiUpdate}/u/file/f`, "content.library.item.updatesession.file.get"],
  [`GET ${apiUpdate}/u/file?file_name=f`, "content.library.item.updatesession.file.get"],
  [`GET ${apiUpdate}/u/file`, "content.library.item.updatesession.file.list"],
  [`DELETE ${apiUpdate}/u/file/f`, "content.library.item.updatesession.file.remove"],
  [`DELETE ${apiUpdate}/u/file?file_name=f`, "content.library.item.updatesession.file.remove"],
  [`POST ${apiUpdate}/u/file?action=validate`, "content.library.item.updatesession.file.validate"],
  ["POST /api/content/local-library", "content.local_library.create"],
  ["GET /api/content/local-library", "content.local_library.list"],
  ["GET /api/content/local-library/l", "content.local_library.get"],
  ["PATCH /api/content/local-library/l", "content.local_library.update"],
  ["DELETE /api/content/local-library/l", "content.local_library.delete"],
  ["POST /api/content/local-library/l?action=force-delete", "content.local_library.force_delete"],
  ["GET /api/content/library", "content.library.list"],
  ["GET /api/content/library/l", "content.library.get"],
  ["PATCH /api/content/library/l", "content.library.update"],
  ["POST /api/content/library?action=find", "content.library.find"],
  [`POST ${api}`, "content.library.item.create"],
  [`GET ${api}/i`, "content.library.item.get"],
  [`GET ${api}?library_id=l`, "content.library.item.list"],
  [`POST ${api}?action=find`, "content.library.item.find"],
  [`PATCH ${api}/i`, "content.library.item.update"],
  [`DELETE ${api}/i`, "content.library.item.delete"],
  [`POST ${api}/i?action=copy`, "content.library.item.copy"],
  [`GET ${api}/i/file`, "content.library.item.file.list"],
  [`GET ${api}/i/file?name=f`, "content.library.item.file.get"],
  [`GET ${api}/i/storage`, "content.library.item.storage.list"],
  [`GET ${api}/i/storage?file_name=f`, "content.library.item.storage.get"],
  [`POST ${api}/download-session`, "content.library.item.download_session.create"],
  [`GET ${api}/download-session/d`, "content.library.item.download_session.get"],
  [`POST ${api}/download-session/d?action=cancel`, "content.library.item.download_session.cancel"],
  [`POST ${api}/download-session/d?action=keep-alive`, "content.library.item.download_session.keep_alive"],
  [`GET ${api}/download-session/d/file`, "content.library.item.downloadsession.file.list"],
  [
    `POST ${api}/download-session/d/file?action=prepare&file_name=f`,
    "content.library.item.downloadsession.file.prepare",
  ],
  [`GET ${api}/download-session/d/file?file_name=f`, "content.library.item.downloadsession.file.get"],
];

/** What operations need of a body; elsewhere there is none. */
const spec = { library_item_id: "i", library_id: "l", name: "n", source_type: "PUSH" };
const wrapped: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  create: { create_spec: spec },
  update: { update_spec: {} },
  find: { spec: {} },
  copy: { destination_create_spec: spec },
  add: { file_spec: spec },
  probe: { source_endpoint: { uri: "http://x" } },
};

function bodyFor(operation: string, family: "rest" | "api"): string | undefined {
  const word = operation.split(".").at(-1)!;
  const body = operation === "cis.session.create" ? undefined : wrapped[word];
  return body && JSON.stringify(family === "rest" ? body : Object.values(body)[0]);
}

describe("an operation", () => {
  const { ask } = openEcho();

  it.each(
    restLines.flatMap(([line, operation]) => [
      { line: line.replace(" /", " /rest/"), operation },
      { line, operation },
    ]),
  )("is found at $line: $operation", async ({ line, operation }) => {
    const { status, asked } = await ask(line, bodyFor(operation, "rest"));
    expect([status, asked?.operation]).toEqual([200, operation]);
  });

  it.each(apiLines)("is found at %s: %s", async (line, operation) => {
    const { status, asked } = await ask(line, bodyFor(operation, "api"));
    expect([Math.floor(status / 100), asked?.operation]).toEqual([2, operation]);
  });

  it.each([...operations])("is found at every line that follows from its description: %s", async (name, operation) => {
    const lines = linesOf(operation);
    expect(lines.length).toBeGreaterThan(1);
    for (const { line, family } of lines) {
      const missing = Object.keys(operation.input.fields).filter((field) => /_id$|^(file_)?name$/.test(field));
      const words = missing.filter((field) => !line.includes(`{${field}}`)).map((field) => `${field}=x`);
      const said = line.replaceAll(/\{\w+\}/g, "x").replace(/\?(file_)?name$/, "");
      const url = words.length === 0 ? said : `${said}${said.includes("?") ? "&" : "?"}${words.join("&")}`;
      const { asked } = await ask(url, bodyFor(name, family));
      expect([line, asked?.operation]).toEqual([line, name]);
    }
  });
});

describe("a word of the query that names another operation", () => {
  const { ask } = openEcho();
  const updates = "/rest/com/vmware/content/library/item/update-session";

  it.each([
    `GET ${updates}/id:u?~action=delete`,
    `DELETE ${updates}/id:u?~action=cancel`,
    `DELETE ${updates}/id:u?~action=`,
    `POST ${updates}?~action=bogus`,
    `POST ${updates}/id:u?~action=bogus`,
    `POST ${updates}?~action=create&~action=delete`,
    `POST ${updates}/id:u?~action=cancel&~action=complete`,
    `POST ${updates}?%7Eaction=constructor`,
    `POST ${updates}?~method=OPTIONS`,
    `DELETE ${updates}/id:u?~method=GET`,
    "DELETE /rest/com/vmware/content/local-library/id:l?~action=force_delete",
    "POST /com/vmware/content/library?~action=create",
    "POST /api/content/library/item/update-session/u?action=bogus",
    "POST /api/content/library/item/update-session/u?~action=complete",
    "POST /api/content/library/item/update-session/u/file?action=remove",
    "DELETE /api/content/library/item/update-session/u?action=cancel",
    "GET /api/content/library/item/update-session/u?~action=delete",
  ])("is operation_not_found, and asks nobody: %s", async (line) => {
    const { status, asked, body } = await ask(line, "{}");
    const told = JSON.parse(body!);
    expect([status, asked]).toEqual([404, undefined]);
    expect(told.error_type ?? told.type).toMatch(/operation_not_found$/i);
    expect((told.messages ?? told.value.messages)[0].args).toEqual([line.split(" ")[1]!.split("?")[0]]);
  });
});

describe("an id in the path", () => {
  const { ask } = openEcho();
  const path = "/rest/com/vmware/content/library/item/update-session";

  it.each([
    ["id:815994e5-1:9c7e16e9-2", "815994e5-1:9c7e16e9-2"],
    ["id%3A815994e5-1%3a9c7e16e9-2", "815994e5-1:9c7e16e9-2"],
    ["id:id:x", "id:x"],
    ["id:a%2Fb%20c%25", "a/b c%"],
    ["id:%C3%BC", "ü"],
  ])("is what comes after its first colon, decoded: %s", async (sent, id) => {
    for (const line of [
      `GET ${path}/${sent}`,
      `POST ${path}/${sent}?~action=get`,
      `POST ${path}/${sent}?%7eaction=get`,
    ]) {
      const { asked } = await ask(line);
      expect(asked).toEqual({ operation: "content.library.item.update_session.get", input: { update_session_id: id } });
    }
  });

  it("is decoded in the newer API, where nothing stands before it", async () => {
    const { asked } = await ask("DELETE /api/content/library/item/update-session/a%3Ab:c/file/x%2Fy%20(1).ovf");
    expect(asked?.input).toEqual({ update_session_id: "a:b:c", file_name: "x/y (1).ovf" });
  });

  it.each([`GET ${path}/id:`, `GET ${path}/x`, `GET ${path}/id`])(
    "is needed where a line has one: %s",
    async (line) => {
      const { status, asked } = await ask(line);
      expect([status, asked]).toEqual([404, undefined]);
    },
  );
});
