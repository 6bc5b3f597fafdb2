import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { Role } from "../../gen/slipway/upload/v1/access_pb.js";
import { addFile, addSomebody, addStranger, send, startSession, useServer } from "../rpc/scene.js";
import { pseudoRandom } from "../support/bodies.js";
import { mainWires, openClient, refusalOf } from "../support/client.js";
import { httpVersions, openHttp } from "../support/http.js";
import { busyBytes, liveBusily, movedSince, readMetrics, type Sample } from "../support/metrics.js";
import { ownPostgresAvailable, startOwnPostgres } from "../support/postgres.js";
import { adminPassword, startServer } from "../support/server.js";

const json = { "content-type": "application/json" };

describe("the metrics of a server", () => {
  const server = useServer(() => ({ env: { SLIPWAY_SWEEP_INTERVAL: "200ms" } }));
  const read = () => readMetrics(server.get().url);
  /** What of these has moved by the time that nothing moves any more. */
  async function moved(prefix: string, deed: () => Promise<unknown>): Promise<Record<string, number>> {
    const before = await read();
    await deed();
    return settle(before, prefix);
  }
  async function settle(before: Sample, prefix: string): Promise<Record<string, number>> {
    let last = "";
    for (;;) {
      const now = movedSince(before, await read(), prefix);
      if (JSON.stringify(now) === last) return now;
      last = JSON.stringify(now);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  it.each(mainWires)(
    "an upload of 1 MiB over %s moves the bytes that came in by 1048576, and no others",
    async (wire) => {
      const client = openClient(server.get(), wire);
      const upload = async () => send(client, await addFile(client), pseudoRandom(2 ** 20));
      expect(await moved("slipway_received_bytes_total", upload)).toEqual({ '{kind="file"}': 2 ** 20 });
      expect(await moved("slipway_resent_bytes_total", upload)).toEqual({});
      expect(await moved("slipway_append_duration_seconds_count", upload)).toEqual({ '{kind="file"}': 1 });
      client.close();
    },
  );

  it("each counter moves by what a known conversation brings about", async () => {
    const before = await read();
    await liveBusily(server.get());
    const move = (name: string) => settle(before, `slipway_${name}`);
    expect(await move("received_bytes_total")).toEqual({
      '{kind="file"}': busyBytes + 6_000 + 10_000,
      '{kind="blob"}': 10_000,
    });
    expect(await move("resent_bytes_total")).toEqual({ "": 1000 });
    expect(await move("sent_bytes_total")).toEqual({ "": busyBytes });
    expect(await move("checksum_failures_total")).toEqual({ '{kind="file"}': 1 });
    expect(await move("writer_handovers_total")).toEqual({ "": 1 });
    expect(await move("blobs_total")).toEqual({ '{result="stored"}': 1, '{result="known"}': 1 });
    expect(await move("sessions_created_total")).toEqual({ "": 6 });
    expect(await move("sessions_ended_total")).toEqual({
      '{state="done",reason=""}': 2,
      '{state="canceled",reason=""}': 1,
    });
    expect(await move("complete_duration_seconds_count")).toEqual({ "": 1 });
    expect(await move("login_failures_total")).toEqual({ "": 1 });
    expect(await move("errors_total")).toEqual({
      '{face="rpc",code="conflict",reason="BYTES_DIFFER"}': 1,
      '{face="rpc",code="checksum_mismatch",reason="CHECKSUM_DIFFERS"}': 1,
      '{face="rpc",code="superseded",reason="WRITER_SUPERSEDED"}': 1,
      '{face="rpc",code="unauthenticated",reason="LOGIN_FAILED"}': 1,
    });
    const requests = await move("request_duration_seconds_count");
    expect(requests).toMatchObject({
      '{face="rpc",method="FileService/UploadFile",code="ok"}': 2,
      '{face="rpc",method="FileService/UploadFile",code="checksum_mismatch"}': 1,
      '{face="rpc",method="FileService/UploadFile",code="superseded"}': 1,
      '{face="rpc",method="FileService/UploadPart",code="ok"}': 2,
      '{face="rpc",method="FileService/UploadPart",code="conflict"}': 1,
      '{face="rpc",method="AccessService/Login",code="unauthenticated"}': 1,
      '{face="url",method="PUT",code="ok"}': 1,
    });
  });

  it("when nothing is under way, the gauges of what is say so", async () => {
    const now = await read();
    const underWay = [...now].filter(([name, value]) => name.startsWith("slipway_requests_in_flight") && value !== 0);
    expect(underWay).toEqual([['slipway_requests_in_flight{face="operations",method="/metrics"}', 1]]);
    for (const name of ["uploads_in_flight", "buffered_bytes"]) expect(now.get(`slipway_${name}`)).toBe(0);
    expect(now.get("slipway_ready")).toBe(1);
    expect(now.get("slipway_store_free_bytes")).toBeGreaterThan(0);
    expect(now.get("slipway_store_free_bytes")).toBeLessThan(now.get("slipway_store_size_bytes")!);
  });

  it("an upload that hangs is under way, and holds memory no longer than it takes to write", async () => {
    const client = openClient(server.get(), "grpc/2");
    const place = await addFile(client);
    const stop = new AbortController();
    const hanging = (async function* () {
      yield { message: { case: "start" as const, value: place } };
      yield { message: { case: "chunk" as const, value: { data: new Uint8Array(100_000) } } };
      await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
    })();
    const { "": uploads } = await moved("slipway_uploads_in_flight", async () => {
      void refusalOf(client.files.uploadFile(hanging, { signal: stop.signal }));
      await expect.poll(async () => (await read()).get("slipway_uploads_in_flight")).toBe(1);
    });
    expect(uploads).toBe(1);
    expect((await read()).get('slipway_requests_in_flight{face="rpc",method="FileService/UploadFile"}')).toBe(1);
    const canceled = await moved("slipway_errors_total", async () => {
      stop.abort();
      await expect.poll(async () => (await read()).get("slipway_uploads_in_flight")).toBe(0);
    });
    expect(canceled).toEqual({ '{face="rpc",code="canceled",reason=""}': 1 });
    expect((await read()).get("slipway_buffered_bytes")).toBe(0);
    client.close();
  });

  it("open sessions are those that run, a few seconds ago at most", async () => {
    const client = openClient(server.get());
    const open = async () => (await read()).get("slipway_sessions_open");
    const settled = async () => {
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      return (await open()) ?? Number.NaN;
    };
    const before = await settled();
    const [first] = [await startSession(client), await startSession(client)];
    await client.sessions.cancelSession({ sessionId: first!.id });
    expect(await settled()).toBe(before + 1);
    client.close();
  });

  it("sweeps are counted, with what they collected and when the last one was", async () => {
    const before = await read();
    await expect
      .poll(async () => movedSince(before, await read(), "slipway_sweeps_total"))
      .toHaveProperty(['{result="ok"}']);
    const now = await read();
    expect(Date.now() / 1000 - now.get("slipway_sweep_last_success_timestamp_seconds")!).toBeLessThan(30);
    expect(now.has('slipway_swept_total{what="expired_sessions"}')).toBe(true);
  });

  it("what a client makes up is never a label: no path, method or user adds a series", async () => {
    const { url, port } = server.get();
    const client = openHttp(url, "1.1");
    const ask = async (seed: string) => {
      for (const path of [
        `/${seed}`,
        `/slipway.upload.v1.FileService/M${seed}`,
        `/a.B${seed}/C`,
        `/t/${seed}`,
        `/healthz?${seed}`,
      ]) {
        await client.ask({ method: "GET", path });
        await client.ask({ method: "POST", path, headers: { ...json, authorization: `Basic ${btoa(`${seed}:x`)}` } });
      }
      // Methods that Node's parser knows and nobody here means.
      await client.ask({ method: seed === "first" ? "PROPFIND" : "MKCALENDAR", path: `/t/${seed}` });
      await client.ask({
        method: "POST",
        path: "/slipway.upload.v1.AccessService/WhoAmI",
        headers: { "content-type": `a/${seed}` },
      });
      await new Promise<void>((resolve) => {
        const socket = connect(port, "127.0.0.1", () => socket.write(`${seed.toUpperCase()} / HTTP/1.1\r\n\r\n`));
        socket
          .on("close", () => resolve())
          .on("error", () => undefined)
          .resume();
      });
    };
    await ask("first");
    const names = [...(await read()).keys()];
    await ask("second");
    expect([...(await read()).keys()].filter((name) => !names.includes(name))).toEqual([]);
    expect(names.join("\n")).not.toMatch(/first|PROPFIND/);
    client.close();
  });

  it.each(["connect/1.1", "grpc/2", "grpc-web/1.1"] as const)(
    "a message over %s that cannot be read, or is too large, is counted as an error",
    async (wire) => {
      const type = {
        "connect/1.1": "application/proto",
        "grpc/2": "application/grpc",
        "grpc-web/1.1": "application/grpc-web",
      }[wire];
      const client = openHttp(server.get().url, wire === "grpc/2" ? "2" : "1.1");
      const garbage = Buffer.from([0xff, 0xff, 0xff]);
      const framed = Buffer.concat([Buffer.from([0, 0, 0, 0, garbage.length]), garbage]);
      const errors = await moved("slipway_errors_total", () =>
        client.ask({
          method: "POST",
          path: "/slipway.upload.v1.SessionService/GetSession",
          headers: { "content-type": type, authorization: server.get().authorization, te: "trailers" },
          body: wire === "connect/1.1" ? garbage : framed,
        }),
      );
      expect(errors).toEqual({ '{face="rpc",code="invalid",reason=""}': 1 });
      client.close();
    },
  );

  it.each(httpVersions)("/metrics is GET and HEAD, over HTTP/%s, and is not to be cached", async (version) => {
    const client = openHttp(server.get().url, version);
    const got = await client.ask({ method: "GET", path: "/metrics" });
    expect([got.status, got.headers["cache-control"]]).toEqual([200, "no-store"]);
    expect(got.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
    const head = await client.ask({ method: "HEAD", path: "/metrics?x" });
    expect([head.status, head.body.length, head.headers["content-type"]]).toEqual([
      200,
      0,
      got.headers["content-type"],
    ]);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const refused = await client.ask({ method, path: "/metrics" });
      expect([refused.status, refused.headers.allow]).toEqual([405, "GET, HEAD"]);
    }
    client.close();
  });

  it.each([
    ["x-forwarded-for", "127.0.0.1"],
    ["forwarded", "for=127.0.0.1"],
  ])(
    "what came through a proxy that nobody trusts (%s) needs credentials, whoever it says sent it",
    async (name, value) => {
      expect((await fetch(`${server.get().url}/metrics`, { headers: { [name]: value } })).status).toBe(401);
    },
  );
});

describe("the metrics behind a trusted proxy", () => {
  const server = useServer(() => ({ env: { SLIPWAY_TRUST_PROXY: "1" } }));
  const ask = (headers: Record<string, string>) => fetch(`${server.get().url}/metrics`, { headers });

  it.each([
    ["nobody in between", {}, 200],
    ["a sender on this machine", { "x-forwarded-for": "192.0.2.1, 127.0.0.1" }, 200],
    ["a sender on this machine, over IPv6", { forwarded: 'for="[::1]:4711"' }, 200],
    ["a sender elsewhere", { "x-forwarded-for": "127.0.0.1, 192.0.2.1" }, 401],
    ["a sender elsewhere, in the newer header", { forwarded: "for=192.0.2.1" }, 401],
    ["a sender that is not named", { "x-forwarded-proto": "https" }, 401],
    ["a sender that is unknown", { forwarded: "for=unknown" }, 401],
  ])("with %s they are answered with %j: %i", async (_what, headers, status) => {
    expect((await ask(headers as Record<string, string>)).status).toBe(status);
  });

  const elsewhere = { "x-forwarded-for": "192.0.2.1" };

  it("without credentials it is said which ones are needed", async () => {
    const response = await ask(elsewhere);
    expect(response.headers.get("www-authenticate")).toMatch(/^Basic realm="slipway".*Bearer/);
    expect(await response.text()).not.toContain("slipway_");
  });

  it("an operator's password and token let in; those of users without the permission do not", async () => {
    const { authorization, token } = server.get();
    expect((await ask({ ...elsewhere, authorization })).status).toBe(200);
    expect((await ask({ ...elsewhere, authorization: `Bearer ${token}` })).status).toBe(200);
    const client = server.client("connect/1.1");
    for (const somebody of [await addSomebody(client), await addStranger(client, Role.ADMIN)]) {
      expect((await ask({ ...elsewhere, authorization: `Bearer ${somebody.token}` })).status).toBe(403);
    }
    expect((await ask({ ...elsewhere, authorization: "Bearer nonsense" })).status).toBe(401);
    expect((await ask({ ...elsewhere, authorization: "Digest x" })).status).toBe(401);
  });

  it("whoever guesses passwords is slowed here as at every login", async () => {
    const guess = (word: string) => ask({ ...elsewhere, authorization: `Basic ${btoa(`guessed:${word}`)}` });
    const answers: number[] = [];
    for (let turn = 0; turn < 7; turn++) answers.push((await guess(`guess ${turn}`)).status);
    expect(answers.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
    expect(answers.slice(5)).toContain(429);
    expect(adminPassword).not.toBe("");
  });
});

it("on a listener that is not loopback they need credentials, from this machine too", async () => {
  const server = await startServer({ host: "0.0.0.0" });
  expect((await fetch(`http://127.0.0.1:${server.port}/metrics`)).status).toBe(401);
  const sample = await readMetrics(`http://127.0.0.1:${server.port}`, { authorization: server.authorization });
  expect(sample.get("slipway_ready")).toBe(1);
  await server.kill();
});

it.runIf(ownPostgresAvailable())(
  "while the database is away, the metrics come all the same: not ready, without the open sessions, and to whom they were given a moment ago",
  async () => {
    const postgres = await startOwnPostgres();
    const server = await startServer({ databaseUrl: postgres.url, env: { SLIPWAY_TRUST_PROXY: "1" } });
    const elsewhere = { "x-forwarded-for": "192.0.2.1" };
    const statusFor = async (authorization: string) =>
      (await fetch(`${server.url}/metrics`, { headers: { ...elsewhere, authorization } })).status;
    expect(await statusFor(server.authorization)).toBe(200);
    const read = async () => {
      const sample = await readMetrics(server.url);
      return [sample.get("slipway_ready"), sample.has("slipway_sessions_open")];
    };
    const patience = { timeout: 40_000, interval: 300 };
    expect(await read()).toEqual([1, true]);
    await postgres.stop();
    await expect.poll(read, patience).toEqual([0, false]);
    // Longer than what the database said of anybody is believed.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    expect(await statusFor(server.authorization)).toBe(200);
    expect(await statusFor(`Bearer slp_${"x".repeat(43)}`)).toBe(503);
    await postgres.start();
    await expect.poll(read, patience).toEqual([1, true]);
    await server.kill();
    await postgres.remove();
  },
);
