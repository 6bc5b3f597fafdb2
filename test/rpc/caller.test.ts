import { createContextValues, type StreamResponse } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import { SessionService } from "../../gen/slipway/upload/v1/session_service_pb.js";
import { type Principal, UploadError } from "../../src/core/index.js";
import { createCallerInterceptor } from "../../src/rpc/caller.js";

it.each([FileService.method.readFile, SessionService.method.watchSession])(
  "$name ends when the credentials do, and lets go of what it read from",
  async (method) => {
    let uses = 0;
    let isLetGo = false;
    const principal = {
      use() {
        if (++uses > 2) throw new UploadError("unauthenticated", "ended", { reason: "TOKEN_INVALID" });
      },
    } as Principal;
    async function* endless() {
      try {
        for (;;) yield {};
      } finally {
        isLetGo = true;
      }
    }
    const interceptor = createCallerInterceptor({ authenticate: async () => principal });
    const call = interceptor(async () => ({ stream: true, message: endless() }) as never);
    const request = { stream: true, method, header: new Headers(), contextValues: createContextValues() };
    const response = (await call(request as never)) as StreamResponse;
    let messages = 0;
    const reading = (async () => {
      for await (const _ of response.message) messages++;
    })();
    await expect(reading).rejects.toMatchObject({ code: "unauthenticated" });
    expect([messages, isLetGo]).toEqual([2, true]);
  },
);
