// What is sent to the URL of a declared file, and how far that is.
import {
  type Access,
  type CapabilityClaim,
  type Failure,
  isUploadError,
  type PartInput,
  type SessionFile,
  type UploadError,
  type Uploads,
} from "../../../core/index.js";
import { parseWholePart, type RoutedRequest, type WireRequest, type WireResponse } from "../../kit/index.js";
import type { VsphereCall } from "../call.js";
import type { UploadContent } from "../data/service.js";
import { noSuchUrl } from "../data-urls.js";
import { invalidArgument, message, VapiError } from "../errors.js";
import { keepLoginAlive } from "../keep-login-alive.js";
import { declarationOf } from "./attributes.js";

export interface UploadContentDeps {
  readonly uploads: Pick<Uploads, "writePart" | "getFile" | "getUploadStatus" | "refuseFile">;
  readonly access: Pick<Access, "useToken">;
}

type Part = Omit<PartInput, "sessionId" | "fileId" | "body">;

const headers = { "content-type": "application/json", "cache-control": "no-store" };

/**
 * PUT and POST send all of the content, whatever its type, or with `Content-Range` a part of it; GET and HEAD tell how
 * much of it is stored. Success is 200: clients take other good statuses for failures.
 */
export function createUploadContent({ uploads, access }: UploadContentDeps): UploadContent {
  /** The file that the URL is for, while its content can be sent there. */
  async function fileAt(claim: CapabilityClaim, call: VsphereCall): Promise<SessionFile> {
    const { session, file } = await uploads.getFile(placeOf(claim), call);
    if (session.state !== "active") throw noSuchUrl();
    assertDeclared(file, claim);
    return file;
  }

  /** Sends it; content that contradicts what was declared fails its file, which can be sent again. */
  async function write(claim: CapabilityClaim, part: Part, body: AsyncIterable<Uint8Array>, call: VsphereCall) {
    const place = placeOf(claim);
    const file = await fileAt(claim, call);
    const { loginId: tokenId } = declarationOf(file);
    const sent = { before: file.attempts, isBegun: false };
    const check = (locked: SessionFile) => {
      assertDeclared(locked, claim);
      sent.before = locked.attempts;
    };
    const bytes = onceAsked(keepLoginAlive(access, { tenantId: claim.tenantId, tokenId }, body), () => {
      sent.isBegun = true;
    });
    try {
      return await uploads.writePart({ ...part, ...place, check, body: bytes }, call);
    } catch (error) {
      // Who was sent away while sending is told whether it was by somebody else, or because the URL is over.
      if (isUploadError(error, "superseded")) await fileAt(claim, call);
      const contradiction = findContradiction(error, file, part);
      if (contradiction === undefined) throw error;
      const { failure, told } = contradiction;
      const when = (locked: SessionFile) => isDeclared(locked, claim) && isOf(locked, sent);
      await uploads.refuseFile({ ...place, failure, when }, call);
      throw told;
    }
  }

  return {
    async send(claim: CapabilityClaim, { wire, raw }: RoutedRequest, call: VsphereCall): Promise<WireResponse> {
      const part = readPart(wire);
      try {
        const { offset } = await write(claim, part, raw().bytes, call);
        return { status: 200, headers: { ...headers, "upload-offset": String(offset) }, body: "{}" };
      } catch (error) {
        throw answerTo(error);
      }
    },

    async standing(claim: CapabilityClaim, _request: RoutedRequest, call: VsphereCall): Promise<WireResponse> {
      try {
        await fileAt(claim, call);
        const status = await uploads.getUploadStatus(placeOf(claim), call);
        const { sizeBytes: declared, current } = status.file;
        const offset = status.kind === "offset" ? status.offset : (current?.sizeBytes ?? 0);
        const size = status.kind === "offset" ? declared : current?.sizeBytes;
        const body = JSON.stringify({ bytes_transferred: offset, size });
        return { status: 200, headers: { ...headers, "upload-offset": String(offset) }, body };
      } catch (error) {
        throw answerTo(error);
      }
    },
  };
}

/** The same bytes; `begin` is told when the first of them is asked for. Letting go waits for nothing. */
function onceAsked(bytes: AsyncIterable<Uint8Array>, begin: () => void): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const steps = bytes[Symbol.asyncIterator]();
      return {
        next() {
          begin();
          return steps.next();
        },
        async return() {
          await steps.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function placeOf({ sessionId, fileId }: CapabilityClaim) {
  return { sessionId, fileId };
}

/** Without a range it is all of the content, whatever came before; the size is judged against what was declared. */
function readPart(request: WireRequest): Part {
  const part = parseWholePart(request);
  if (request.headers["content-range"] !== undefined) return part;
  return { ...part, restart: true, sizeBytes: undefined };
}

function isDeclared(file: SessionFile, claim: CapabilityClaim): boolean {
  return declarationOf(file).number === claim.attempt;
}

function assertDeclared(file: SessionFile, claim: CapabilityClaim): void {
  if (!isDeclared(file, claim)) throw noSuchUrl();
}

/**
 * Whether the file is as this request left it: at the attempt that it began, with nobody who took over; or, where it was
 * refused before a byte was taken, at none. What others send, and have sent, is not for it to spoil.
 */
function isOf(file: SessionFile, sent: { readonly before: number; readonly isBegun: boolean }): boolean {
  if (!sent.isBegun) return file.attempts === sent.before && file.running === undefined;
  return file.running?.number === sent.before + 1 && file.running.epoch === 1;
}

/** What is wrong with content that came, or was announced, whole; a connection that broke off is not the content's fault. */
function findContradiction(
  error: unknown,
  file: SessionFile,
  part: Part,
): { readonly failure: Failure; readonly told: unknown } | undefined {
  if (part.restart !== true) return undefined;
  if (isUploadError(error, "checksum_mismatch")) {
    return { failure: { reason: "checksum_differs", message: error.message }, told: error };
  }
  if (!isUploadError(error, "too_large", "incomplete")) return undefined;
  const { expectedOffset = 0 } = error.details;
  const isCut = error.code === "incomplete" && part.lengthBytes !== undefined && expectedOffset < part.lengthBytes;
  if (isCut) return undefined;
  const told = tellSize(error, file, part);
  return { failure: { reason: "size_differs", message: told.message }, told };
}

function tellSize(error: UploadError, { name, sizeBytes }: SessionFile, part: Part): VapiError {
  const { limit, expectedOffset } = error.details;
  if (limit !== undefined) {
    return invalidArgument("size_exceeded", `${error.message} (${limit.setting}=${limit.value})`, [name]);
  }
  const declared = String(sizeBytes);
  const came = part.lengthBytes ?? (error.code === "incomplete" ? expectedOffset : undefined);
  const actual = came === undefined ? `more than ${declared}` : String(came);
  const text = `file ${JSON.stringify(name)} was declared with ${declared} bytes, ${actual} came`;
  return invalidArgument("size_differs", text, [name, declared, actual]);
}

/** An address is gone with what it was for. */
function answerTo(error: unknown): unknown {
  if (isUploadError(error, "not_found", "expired", "denied")) return noSuchUrl();
  if (isUploadError(error, "wrong_state") && error.details.reason === "SESSION_STATE") return noSuchUrl();
  if (!isUploadError(error, "offset_mismatch")) return error;
  const expected = String(error.details.expectedOffset);
  const text = `${error.message}; send the bytes from ${expected} on`;
  return new VapiError("invalid_argument", [message("offset_unexpected", text, [expected])], 416, {
    "upload-offset": expected,
  });
}
