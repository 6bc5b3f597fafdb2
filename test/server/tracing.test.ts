import { AsyncLocalStorage } from "node:async_hooks";
import { Code, ConnectError, createContextValues, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";
import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type SpanStatus,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import { requestKey } from "../../src/rpc/request.js";
import { createTracing } from "../../src/server/tracing.js";

/** What a span was told. */
interface Told {
  readonly name: string;
  readonly kind: SpanKind | undefined;
  readonly parent: SpanContext | undefined;
  readonly attributes: Attributes;
  status?: SpanStatus;
  ended: number;
}

const parent: SpanContext = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
let spans: Told[];

/** As much of an SDK as a span needs. */
function register(): void {
  spans = [];
  const tracer = {
    startSpan(name: string, options: SpanOptions = {}, from: Context = context.active()): Span {
      const told: Told = {
        name,
        kind: options.kind,
        parent: trace.getSpanContext(from),
        attributes: { ...options.attributes },
        ended: 0,
      };
      spans.push(told);
      const spanContext = { ...parent, spanId: String(spans.length).padStart(16, "0") };
      const span: Partial<Span> = {
        spanContext: () => spanContext,
        setAttribute: (key, value) => Object.assign(told.attributes, { [key]: value }) && (span as Span),
        setStatus: (status) => Object.assign(told, { status }) && (span as Span),
        end: () => void told.ended++,
      };
      return span as Span;
    },
  } as Tracer;
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
  const storage = new AsyncLocalStorage<Context>();
  context.setGlobalContextManager({
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, run, self, ...args) => storage.run(active, () => run.apply(self as never, args)),
    bind: (_context, target) => target,
    enable: () => context as never,
    disable: () => context as never,
  });
  propagation.setGlobalPropagator({
    inject: () => undefined,
    fields: () => ["traceparent"],
    extract(from, carrier, getter) {
      const [, traceId, spanId] = String(getter.get(carrier, "traceparent")).split("-");
      return spanId === undefined ? from : trace.setSpanContext(from, { ...parent, traceId: traceId!, spanId });
    },
  });
}
function forget(): void {
  trace.disable();
  context.disable();
  propagation.disable();
}

type Response = UnaryResponse | StreamResponse;

function call(
  next: () => Promise<Partial<Response>>,
  contentType = "application/proto",
  method = FileService.method.uploadFile,
) {
  const values = createContextValues();
  values.set(requestKey, { id: "mine", peerAddress: "192.0.2.1", origin: "http://here" });
  const header = new Headers({ "content-type": contentType });
  header.set("traceparent", `00-${parent.traceId}-${parent.spanId}-01`);
  const request = { service: FileService, method, header, contextValues: values };
  return createTracing()(next as never)(request as never) as Promise<StreamResponse>;
}
const activeSpan = () => trace.getSpanContext(context.active())?.spanId;

describe("a traced call", () => {
  beforeEach(register);
  afterEach(forget);

  it("is one server span under the caller's, and is active while the method runs", async () => {
    let active: string | undefined;
    await call(async () => {
      active = activeSpan();
      return { stream: false };
    });
    expect(spans).toEqual([
      {
        name: "slipway.upload.v1.FileService/UploadFile",
        kind: SpanKind.SERVER,
        parent,
        attributes: {
          "rpc.system": "connect_rpc",
          "rpc.service": "slipway.upload.v1.FileService",
          "rpc.method": "UploadFile",
          "client.address": "192.0.2.1",
          "slipway.request_id": "mine",
        },
        ended: 1,
      },
    ]);
    expect(active).toBe("0000000000000001");
  });

  it.each([
    ["application/json", "connect_rpc"],
    ["application/connect+proto", "connect_rpc"],
    ["application/grpc", "grpc"],
    ["application/grpc+proto", "grpc"],
    ["application/grpc-web+proto", "grpc_web"],
  ])("of %s is one of %s", async (contentType, system) => {
    await call(async () => ({ stream: false }), contentType);
    expect(spans[0]?.attributes["rpc.system"]).toBe(system);
    expect(spans[0]?.attributes["rpc.grpc.status_code"]).toBe(system === "connect_rpc" ? undefined : 0);
  });

  it.each([
    [Code.NotFound, undefined],
    [Code.InvalidArgument, undefined],
    [Code.Internal, SpanStatusCode.ERROR],
    [Code.Unavailable, SpanStatusCode.ERROR],
  ])("that fails with code %i has it, and is an error where the server is at fault", async (code, status) => {
    for (const contentType of ["application/proto", "application/grpc"]) {
      await expect(call(() => Promise.reject(new ConnectError("no", code)), contentType)).rejects.toThrow("no");
    }
    const name = new ConnectError("", code).message.slice(1, -1);
    expect(spans[0]?.attributes).toMatchObject({ "rpc.connect_rpc.error_code": name, "error.type": name });
    expect(spans[1]?.attributes).toMatchObject({ "rpc.grpc.status_code": code, "error.type": name });
    for (const span of spans) expect([span.status?.code, span.ended]).toEqual([status, 1]);
  });

  const streaming = (messages: () => AsyncGenerator<unknown>) =>
    call(
      async () => ({ stream: true, message: messages() }) as never,
      "application/grpc",
      FileService.method.readFile as never,
    );

  it("that streams ends with its last message, and is active for each", async () => {
    const active: unknown[] = [];
    const response = await streaming(async function* () {
      for (let i = 0; i < 2; i++) {
        active.push(activeSpan());
        yield i;
      }
    });
    expect(spans[0]?.ended).toBe(0);
    for await (const _ of response.message) expect(spans[0]?.ended).toBe(0);
    expect([spans[0]?.ended, active]).toEqual([1, ["0000000000000001", "0000000000000001"]]);
  });

  it("that streams has the error it breaks off with", async () => {
    const response = await streaming(async function* () {
      yield 1;
      throw new ConnectError("lost", Code.DataLoss);
    });
    const read = async () => {
      for await (const _ of response.message);
    };
    await expect(read()).rejects.toThrow("lost");
    expect(spans[0]).toMatchObject({
      ended: 1,
      status: { code: SpanStatusCode.ERROR, message: "lost" },
      attributes: { "rpc.grpc.status_code": Code.DataLoss },
    });
  });

  it("that streams ends when its reader goes, and lets go of what it read from", async () => {
    let released = false;
    const response = await streaming(async function* () {
      try {
        for (;;) yield 1;
      } finally {
        released = true;
      }
    });
    for await (const _ of response.message) break;
    expect([spans[0]?.ended, released]).toEqual([1, true]);
  });
});

it("a call without an SDK is passed on as it is", async () => {
  const response = { stream: false } as const;
  expect(await call(async () => response)).toBe(response);
});
