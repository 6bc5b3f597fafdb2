import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createContentSource } from "../../src/sources/content-source.js";
import { createFileSource } from "../../src/sources/file.js";
import { makeCertificate } from "../support/certificate.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { thumbprintOf } from "./thumbprint-of.js";
import { createSource, failureOf, open, readAll, serve } from "./web.js";

let folder: string;

beforeEach(async () => {
  folder = join(await makeTempDir(), "root");
  await mkdir(folder);
});

afterEach(() => removeTempDir(join(folder, "..")));

describe("the sources together", () => {
  it("take every scheme to where it is read", async () => {
    const tls = makeCertificate();
    const plain = await serve((_, response) => response.end("http"));
    const secure = await serve((_, response) => response.end("https"), { tls });
    await writeFile(join(folder, "file"), "file");
    const source = createContentSource({
      http: createSource(),
      file: createFileSource({ roots: [folder], closed: [] }),
    });
    const read = async (uri: string, thumbprint?: string) =>
      String(await readAll(await open(source, uri, thumbprint === undefined ? {} : { thumbprint })));
    expect(await read(plain.url)).toBe("http");
    expect(await read(secure.url, thumbprintOf(tls))).toBe("https");
    expect(await read(`file://${folder}/file`)).toBe("file");
    expect(await read(`ds://${folder}/file`)).toBe("file");
    expect((await failureOf(open(source, "ds:///etc/passwd"))).failure).toBe("outside_roots");
    expect((await failureOf(open(source, "http://127.0.0.2/"))).failure).toBe("address_forbidden");
  });
});
