import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isLoopback, parseWhole, readConnection } from "../../../src/cli/connection/settings.js";
import { makeTempDir, removeTempDir } from "../../support/temp-dir.js";

let folder: string;
const fromTheFile = `Basic ${Buffer.from("admin:from-the-file").toString("base64")}`;

beforeEach(async () => {
  folder = await makeTempDir();
  await writeFile(join(folder, "initial-admin-password"), "from-the-file\n");
});

afterEach(() => removeTempDir(folder));

describe("the connection", () => {
  it("is to this machine, with the administrator's first password", async () => {
    expect(await readConnection({}, { SLIPWAY_DATA_DIR: folder })).toEqual({
      url: "http://127.0.0.1:8080",
      authorization: fromTheFile,
      credentials: "first password",
      protocol: "connect",
      retryForMs: 600_000,
      server: undefined,
    });
  });

  it("comes from the environment, and words win over it", async () => {
    const env = {
      SLIPWAY_URL: "https://uploads.example.org/base/",
      SLIPWAY_TOKEN: "from-env",
      SLIPWAY_DATA_DIR: folder,
    };
    expect(await readConnection({}, env)).toMatchObject({
      url: "https://uploads.example.org/base",
      authorization: "Bearer from-env",
    });
    const words = { url: "http://[::1]:9000", token: "given", protocol: "grpc", "retry-for": "5s" };
    expect(await readConnection(words, env)).toEqual({
      url: "http://[::1]:9000",
      authorization: "Bearer given",
      credentials: "option",
      protocol: "grpc",
      retryForMs: 5000,
      server: undefined,
    });
  });

  it.each(["http://127.0.0.1:1", "http://127.9.9.9", "http://localhost:8080", "http://[::1]"])(
    "may use the administrator's first password at %s",
    async (url) => {
      expect(await readConnection({ url }, { SLIPWAY_DATA_DIR: folder })).toMatchObject({ authorization: fromTheFile });
    },
  );

  it.each(["http://example.org", "http://127.0.0.1.example.org", "http://10.0.0.1", "http://localhost.example.org"])(
    "never sends the administrator's first password to %s",
    async (url) => {
      await expect(readConnection({ url }, { SLIPWAY_DATA_DIR: folder })).rejects.toThrow(/^no credentials for http:/);
      expect(isLoopback(new URL(url))).toBe(false);
    },
  );

  it("says what to do where there are no credentials", async () => {
    const env = { SLIPWAY_DATA_DIR: join(folder, "none") };
    await expect(readConnection({}, env)).rejects.toThrow(
      /no credentials: run `slipway login`, give --token, or set SLIPWAY_TOKEN, or, .*initial-admin-password/,
    );
  });

  it("says that a password file cannot be read, and why", async () => {
    await mkdir(join(folder, "odd", "initial-admin-password"), { recursive: true });
    const env = { SLIPWAY_DATA_DIR: join(folder, "odd") };
    await expect(readConnection({}, env)).rejects.toThrow(/cannot be read \(EISDIR\)/);
  });

  it.each([
    { url: "127.0.0.1:8080" },
    { url: "ftp://127.0.0.1" },
    { url: "http://user@127.0.0.1" },
    { url: "http://127.0.0.1/?q" },
    { protocol: "soap" },
    { "retry-for": "ever" },
    { token: "" },
    { token: "two words" },
  ])("refuses %j as wrong use", async (words) => {
    const reading = readConnection(words, { SLIPWAY_DATA_DIR: folder });
    await expect(reading).rejects.toMatchObject({ exitCode: 2 });
  });
});

it("a whole number keeps within its bounds", () => {
  expect(parseWhole("64", "--parallel", 1, 64)).toBe(64);
  for (const text of ["0", "65", "1.5", "x", "-1", ""]) {
    expect(() => parseWhole(text, "--parallel", 1, 64)).toThrow("--parallel is a whole number from 1 to 64");
  }
});
