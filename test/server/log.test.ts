import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Role } from "../../gen/slipway/upload/v1/access_pb.js";
import { connectDatabase } from "../../src/storage/postgres/connect.js";
import { addFile, as, deferred, messagesOf, useServer } from "../rpc/scene.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient, refusalOf } from "../support/client.js";
import { copyEmbeddedTemplate } from "../support/embedded-template.js";
import { liveBusily } from "../support/metrics.js";
import { adminPassword, logIn, startServer, type TestServer } from "../support/server.js";

type Line = Readonly<Record<string, unknown>>;
const levels = { debug: 20, info: 30, warn: 40 } as const;
const linesOf = (server: TestServer): Line[] =>
  server
    .stderr()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
const saying = (server: TestServer, msg: string) => linesOf(server).filter((line) => line.msg === msg);

describe("the log at level info", () => {
  const server = useServer(() => ({ env: { SLIPWAY_SWEEP_INTERVAL: "200ms" } }));

  it("says what was started, where, over what, and when it is ready", async () => {
    const { url, dataDir } = server.get();
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    expect(saying(server.get(), "listening")).toMatchObject([
      { level: levels.info, version, url, database: "embedded", dataDir, durability: "fsync" },
    ]);
    expect(saying(server.get(), "ready")).toHaveLength(1);
  });

  it("says who failed to log in and from where, by Login, by Basic and by a change of password", async () => {
    const { url, token } = server.get();
    const client = openClient({ url });
    await logIn(url, { login: "mallory", password: "a wrong password" });
    const basic = { headers: { authorization: `Basic ${btoa("elsewhere/eve:a wrong password")}` } };
    await refusalOf(client.access.whoAmI({}, basic));
    await refusalOf(
      client.access.changePassword(
        { currentPassword: "a wrong password", newPassword: "a new password" },
        as({ token }),
      ),
    );
    client.close();
    const failed = { level: levels.warn, address: "127.0.0.1" };
    await expect
      .poll(() => saying(server.get(), "a login failed"))
      .toMatchObject([
        { ...failed, login: "mallory" },
        { ...failed, login: "elsewhere/eve" },
        { ...failed, login: "default/admin" },
      ]);
  });

  it("says what administrators do, and who of them", async () => {
    const client = openClient(server.get());
    const { access } = client;
    const { tenant } = await access.createTenant({ name: "logged" });
    const { user } = await access.createUser({ tenantId: tenant!.id, name: "ann", role: Role.READER });
    await access.updateUser({ userId: user!.id, role: Role.UPLOADER, password: "another password" });
    const { accessToken } = await access.createToken({ userId: user!.id });
    await access.revokeToken({ tokenId: accessToken!.id });
    await access.deleteUser({ userId: user!.id });
    await access.deleteTenant({ tenantId: tenant!.id });
    client.close();
    const by = { by: "default/admin", level: levels.info };
    const deeds = () => linesOf(server.get()).filter((line) => line.by !== undefined);
    await expect.poll(deeds).toMatchObject([
      { ...by, msg: "a tenant was created", tenantId: tenant!.id, name: "logged" },
      { ...by, msg: "a user was created", userId: user!.id, name: "ann", role: "reader" },
      { ...by, msg: "a user was changed", userId: user!.id, role: "uploader", newPassword: true },
      { ...by, msg: "a token was created", tokenId: accessToken!.id, userId: user!.id },
      { ...by, msg: "a token was revoked", tokenId: accessToken!.id },
      { ...by, msg: "a user was deleted", userId: user!.id },
      { ...by, msg: "a tenant was deleted", tenantId: tenant!.id },
    ]);
  });

  it("says what a sweep collected, and nothing of sweeps that found nothing, nor of calls", async () => {
    const client = openClient(server.get());
    const { session } = await client.sessions.createSession({ idleTtl: { seconds: 1n } });
    await expect.poll(() => saying(server.get(), "swept"), { timeout: 20_000 }).toMatchObject([{ expiredSessions: 1 }]);
    expect(session).toBeDefined();
    client.close();
    expect(linesOf(server.get()).filter(({ level }) => Number(level) < levels.info)).toEqual([]);
    expect(saying(server.get(), "answered")).toEqual([]);
  });
});

it("at level debug there is a line for each call: what, how it ended, how long, how much, who, and the id that was echoed", async () => {
  const server = await startServer({ env: { SLIPWAY_LOG_LEVEL: "debug" } });
  const client = openClient(server);
  const place = await addFile(client);
  await client.files.uploadPart({ ...place, data: new Uint8Array(5000) }, { headers: { "x-request-id": "mine-1" } });
  await refusalOf(client.files.uploadPart({ ...place, offset: 9000n }, { headers: { "x-request-id": "mine-2" } }));
  client.close();
  const ofMine = () => linesOf(server).filter(({ requestId }) => String(requestId).startsWith("mine"));
  const line = {
    level: levels.debug,
    face: "rpc",
    method: "FileService/UploadPart",
    user: "default/admin",
    msg: "answered",
  };
  await expect.poll(ofMine).toMatchObject([
    { ...line, requestId: "mine-1", code: "ok", address: "127.0.0.1" },
    { ...line, requestId: "mine-2", code: "offset_mismatch", reason: "OFFSET_UNEXPECTED" },
  ]);
  expect(ofMine()[0]).toMatchObject({ ms: expect.any(Number), bytesIn: expect.any(Number) });
  expect(ofMine()[0]!.bytesIn).toBeGreaterThan(5000);
  await server.kill();
});

it.each(["json", "pretty"])("a whole log at level trace, as %s, has no secret in it", async (format) => {
  const server = await startServer({
    env: { SLIPWAY_LOG_LEVEL: "trace", SLIPWAY_LOG_FORMAT: format, SLIPWAY_SWEEP_INTERVAL: "200ms" },
  });
  const client = openClient(server);
  await liveBusily(server);
  const offered = await client.files.getFile({ ...(await addFile(client)) });
  const uri = offered.uploadEndpoint!.uri;
  await fetch(uri, { method: "PUT", body: "content" });
  await fetch(uri, { method: "DELETE" });
  await fetch(`${uri}x`, { method: "HEAD" });
  const passwords = ["password of bob", "next password of bob", "a guess that is wrong"];
  const { user } = await client.access.createUser({ name: "bob", password: passwords[0]!, role: Role.ADMIN });
  const bob = await logIn(server.url, { login: "bob", password: passwords[0]! });
  await client.access.changePassword(
    { currentPassword: passwords[0]!, newPassword: passwords[1]! },
    as({ token: bob.token }),
  );
  await logIn(server.url, { login: "bob", password: passwords[2]! });
  const made = await client.access.createToken({ userId: user!.id });
  for (const path of ["/metrics", `/metrics?token=${made.token}`, `/elsewhere/${made.token}`]) {
    await fetch(server.url + path, {
      headers: { authorization: `Bearer ${made.token}`, "x-forwarded-for": "192.0.2.1" },
    });
  }
  await fetch(`${server.url}/slipway.upload.v1.AccessService/WhoAmI`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Basic ${btoa(`bob:${passwords[2]}`)}` },
    body: "{}",
  });
  client.close();
  expect(await server.stop()).toBe(0);
  const key = await readFile(join(server.dataDir, "capability-key"));
  const log = server.stdout() + server.stderr();
  expect(log).toContain("UploadFile");
  expect(log).toContain("a login failed");
  const secrets = [
    adminPassword,
    ...passwords,
    ...passwords.map((password) => btoa(`bob:${password}`)),
    btoa(`admin:${adminPassword}`),
    server.token,
    bob.token,
    made.token,
    uri.split("/t/")[1]!,
    "/t/",
    ...(["hex", "base64", "base64url"] as const).map((encoding) => key.toString(encoding)),
    "scrypt",
    "uthorization",
  ];
  expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
});

it("an error of the database names the statement and not what was in it", async () => {
  const database = await connectDatabase({ dataDir: await copyEmbeddedTemplate(), poolSize: 1, durability: "os" });
  const failing = database.knex("no_such_table").where({ digest: "a very secret value" });
  await expect(failing).rejects.toThrow(/no_such_table/);
  const error = await failing.then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  expect(`${error?.message} ${error?.stack}`).not.toContain("secret");
  await database.close();
});

it("a stop says how many calls came to their end and how many were cut, and /readyz on a kept connection that it stops", async () => {
  const server = await startServer();
  const client = openClient(server);
  const place = await addFile(client);
  const more = deferred();
  async function* messages() {
    const all = [...messagesOf(place, pseudoRandom(200_000))];
    yield* all.slice(0, 2);
    await more.promise;
    yield* all.slice(2);
  }
  const upload = client.files.uploadFile(messages());
  upload.catch(() => undefined);
  while ((await client.files.getFile({ ...place })).file?.attempt === 0) await new Promise((r) => setTimeout(r, 10));
  // A request that has begun keeps its connection, and is asked to the end while the server stops.
  const socket = connect(server.port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
  });
  await new Promise<void>((resolve) => socket.write("GET /readyz HTTP/1.1\r\nHost: here\r\n", () => resolve()));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const stopped = server.stop();
  await expect.poll(() => saying(server, "no new connections are taken, calls under way may finish")).toHaveLength(1);
  socket.write("\r\n");
  await expect.poll(() => answer).toContain("the server is stopping");
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  more.resolve();
  await upload;
  client.close();
  socket.destroy();
  expect(await stopped).toBe(0);
  expect(saying(server, "calls have ended")).toMatchObject([{ level: levels.info, finished: 1, cut: 0 }]);
  expect(saying(server, "stopped")).toHaveLength(1);
});
