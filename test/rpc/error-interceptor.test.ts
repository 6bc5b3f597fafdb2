import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import { UploadError } from "../../src/core/index.js";
import { createErrorInterceptor } from "../../src/rpc/errors.js";
import { requestKey } from "../../src/rpc/request.js";

const away = new UploadError(
  "unavailable",
  "away",
  { reason: "DATABASE_UNAVAILABLE" },
  { cause: new Error("refused") },
);

it.each([
  ["a bug", new TypeError("oops"), Code.Internal, true],
  ["a dependency that is down", away, Code.Unavailable, true],
  ["a refusal", new UploadError("invalid", "no", { reason: "ID_MALFORMED" }), Code.InvalidArgument, false],
  ["a message that cannot be read", new ConnectError("parse binary", Code.Internal), Code.InvalidArgument, false],
])(
  "%s is logged with the method and the request's id where somebody has to look",
  async (_what, error, code, isLogged) => {
    const logged: unknown[] = [];
    const contextValues = createContextValues();
    contextValues.set(requestKey, { id: "mine", peerAddress: "192.0.2.1", origin: "http://here" });
    const request = { service: FileService, method: FileService.method.getFile, contextValues };
    const interceptor = createErrorInterceptor((...line) => void logged.push(line));
    const failing = interceptor(() => Promise.reject(error));
    await expect(failing(request as never)).rejects.toMatchObject({ code });
    expect(logged).toEqual(isLogged ? [[error, "slipway.upload.v1.FileService/GetFile", "mine"]] : []);
  },
);
