// URLs that need no credentials: whoever has one may send one attempt at one file, and read it back.
import {
  type Call,
  type Capabilities,
  type CapabilityPurpose,
  isServerTrouble,
  isUploadError,
  type PartInput,
  type Permission,
  type Principal,
  type SessionFile,
  type UploadError,
  type Uploads,
} from "../../core/index.js";
import { parseAppendedPart, parseWholePart } from "./capability-part.js";
import { answerContent, etagOf } from "./content-answer.js";
import { HttpProblem, problemFrom } from "./problem.js";
import { answerWhileUsed, whileUsed } from "./while-used.js";
import type { WireHandler, WireRequest, WireResponse } from "./wire.js";

export interface CapabilityDeps {
  readonly uploads: Pick<Uploads, "writePart" | "getUploadStatus" | "readFile">;
  readonly capabilities: Pick<Capabilities, "verify">;
  readonly principalOf: (user: { readonly tenantId: string; readonly userId: string }) => Promise<Speaker>;
  readonly now: () => Date;
  /** Told what lies behind an answer that does not say it. */
  readonly logCause: (error: UploadError, request: WireRequest) => void;
}

/** Who acts by a URL. */
interface Speaker extends Pick<Principal, "caller" | "use"> {
  readonly user: { readonly name: string };
  readonly tenant: { readonly name: string };
}

interface Place {
  readonly sessionId: string;
  readonly fileId: string;
  readonly attempt: number;
}

type Method = (deps: CapabilityDeps, place: Place, request: WireRequest, call: Call) => Promise<WireResponse>;

const reading = { GET: readContent, HEAD: tellStatus };
const methods: Record<CapabilityPurpose, ReadonlyMap<string, Method>> = {
  upload: new Map<string, Method>(
    Object.entries({
      ...reading,
      PUT: (deps, place, request, call) => send(deps, place, request, call, parseWholePart(request)),
      POST: (deps, place, request, call) => send(deps, place, request, call, parseWholePart(request)),
      PATCH: (deps, place, request, call) => send(deps, place, request, call, parseAppendedPart(request)),
    } satisfies Record<string, Method>),
  ),
  download: new Map<string, Method>(Object.entries(reading)),
};
const permissions: Record<CapabilityPurpose, Permission> = { upload: "upload", download: "read" };

export const capabilityPrefix = "/t/";

/**
 * Answers what is asked of `/t/{token}`, in the name of the user that the token was made for: a request's own
 * credentials count for nothing. A token that is unknown, forged, expired or superseded, or whose file or user is gone,
 * or whose user may no longer do this: all get the same 404.
 */
export function createCapabilityHandler(deps: CapabilityDeps): WireHandler {
  return async (request) => {
    try {
      const answered = await answer(deps, request);
      request.note?.({ code: "ok" });
      return answered;
    } catch (error) {
      if (isUploadError(error) && isServerTrouble(error)) deps.logCause(error, request);
      if (isUploadError(error, "not_found", "unauthenticated", "denied")) return problemFrom(noSuchUrl(), request.note);
      const problem = problemFrom(error, request.note);
      if (!isUploadError(error, "offset_mismatch")) return problem;
      return { ...problem, headers: { ...problem.headers, "upload-offset": String(error.details.expectedOffset) } };
    }
  };
}

function noSuchUrl(): HttpProblem {
  return new HttpProblem(404, "this URL leads nowhere, or no longer; whoever gave it may have another one");
}

async function answer(deps: CapabilityDeps, request: WireRequest): Promise<WireResponse> {
  const claim = deps.capabilities.verify(request.path.slice(capabilityPrefix.length), deps.now());
  if (claim === undefined) throw noSuchUrl();
  const { purpose, sessionId, fileId, attempt } = claim;
  const allowed = methods[purpose];
  const allow = [...allowed.keys(), "OPTIONS"].join(", ");
  const run = allowed.get(request.method);
  if (run === undefined && request.method !== "OPTIONS") {
    throw new HttpProblem(405, `${request.method} is not one of ${allow}`, { allow });
  }
  const speaker = await deps.principalOf(claim);
  const { caller, tenant, user } = speaker;
  request.note?.({ user: `${tenant.name}/${user.name}` });
  if (!caller.permissions.has(permissions[purpose])) throw noSuchUrl();
  if (run === undefined) return { status: 204, headers: { allow, "accept-patch": "application/partial-upload" } };
  // Whoever may do it no more cannot go on with it, either.
  const body = whileUsed(request.body, speaker);
  const answer = await run(
    deps,
    { sessionId, fileId, attempt },
    { ...request, body },
    { caller, signal: request.signal },
  );
  return answerWhileUsed(answer, speaker);
}

/** 201: this request finished the file. 200: it had been finished with the same bytes. 204: there is more to come. */
async function send(
  { uploads }: CapabilityDeps,
  place: Place,
  { body }: WireRequest,
  call: Call,
  part: Omit<PartInput, "sessionId" | "fileId" | "body">,
): Promise<WireResponse> {
  const { file, offset, applied } = await uploads.writePart({ ...part, ...place, body }, call);
  const status = file.state === "ready" ? (applied ? 201 : 200) : 204;
  return { status, headers: standing(file, offset) };
}

async function tellStatus(
  { uploads }: CapabilityDeps,
  place: Place,
  _request: WireRequest,
  call: Call,
): Promise<WireResponse> {
  const status = await uploads.getUploadStatus(place, call);
  const { file } = status;
  const offset = status.kind === "offset" ? status.offset : file.current!.sizeBytes;
  return { status: 204, headers: standing(file, offset) };
}

/** How far a file is, in the words of "Resumable Uploads for HTTP". */
function standing(file: SessionFile, offset: number): Record<string, string> {
  const whole = file.state === "ready" ? file.current : undefined;
  const sizeBytes = whole?.sizeBytes ?? file.sizeBytes;
  return {
    "cache-control": "no-store",
    "upload-offset": String(offset),
    "upload-complete": whole ? "?1" : "?0",
    ...(sizeBytes === undefined ? {} : { "upload-length": String(sizeBytes) }),
    ...(whole && { etag: etagOf(whole) }),
  };
}

async function readContent(
  { uploads }: CapabilityDeps,
  place: Place,
  request: WireRequest,
  call: Call,
): Promise<WireResponse> {
  return answerContent(request, (choose) => uploads.readFile({ ...place, choose }, call));
}
