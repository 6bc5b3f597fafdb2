import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  FailureReason as FailureReasonMessage,
  type FailureSchema,
  SourceFailure as SourceFailureMessage,
} from "../../gen/slipway/upload/v1/failure_pb.js";
import {
  SessionAccess as SessionAccessMessage,
  type Session as SessionMessage,
  SessionSchema,
  SessionState as SessionStateMessage,
  SessionVisibility as SessionVisibilityMessage,
} from "../../gen/slipway/upload/v1/session_pb.js";
import {
  type Attributes,
  type Failure,
  type FailureReason,
  invalid,
  type Session,
  type SessionAccess,
  type SessionState,
  type SessionVisibility,
  type SourceFailure,
} from "../core/index.js";

const states: Record<SessionState, SessionStateMessage> = {
  active: SessionStateMessage.ACTIVE,
  completing: SessionStateMessage.COMPLETING,
  done: SessionStateMessage.DONE,
  canceled: SessionStateMessage.CANCELED,
  failed: SessionStateMessage.FAILED,
};

const accesses: Record<SessionAccess, SessionAccessMessage> = {
  additive: SessionAccessMessage.ADDITIVE,
  exclusive: SessionAccessMessage.EXCLUSIVE,
};

const visibilities: Record<SessionVisibility, SessionVisibilityMessage> = {
  owner: SessionVisibilityMessage.OWNER,
  tenant: SessionVisibilityMessage.TENANT,
};

const failureReasons: Record<FailureReason, FailureReasonMessage> = {
  expired: FailureReasonMessage.EXPIRED,
  client: FailureReasonMessage.CLIENT,
  file_failed: FailureReasonMessage.FILE_FAILED,
  size_differs: FailureReasonMessage.SIZE_DIFFERS,
  checksum_differs: FailureReasonMessage.CHECKSUM_DIFFERS,
  content_damaged: FailureReasonMessage.CONTENT_DAMAGED,
  source_failed: FailureReasonMessage.SOURCE_FAILED,
  interrupted: FailureReasonMessage.INTERRUPTED,
};

const sourceFailures: Record<SourceFailure, SourceFailureMessage> = {
  uri_malformed: SourceFailureMessage.URI_MALFORMED,
  scheme_unsupported: SourceFailureMessage.SCHEME_UNSUPPORTED,
  credentials_in_uri: SourceFailureMessage.CREDENTIALS_IN_URI,
  thumbprint_malformed: SourceFailureMessage.THUMBPRINT_MALFORMED,
  thumbprint_unusable: SourceFailureMessage.THUMBPRINT_UNUSABLE,
  address_forbidden: SourceFailureMessage.ADDRESS_FORBIDDEN,
  outside_roots: SourceFailureMessage.OUTSIDE_ROOTS,
  not_found: SourceFailureMessage.NOT_FOUND,
  refused: SourceFailureMessage.REFUSED,
  not_ready: SourceFailureMessage.NOT_READY,
  unreachable: SourceFailureMessage.UNREACHABLE,
  timed_out: SourceFailureMessage.TIMED_OUT,
  response_invalid: SourceFailureMessage.RESPONSE_INVALID,
  redirect_invalid: SourceFailureMessage.REDIRECT_INVALID,
  redirect_loop: SourceFailureMessage.REDIRECT_LOOP,
  too_many_redirects: SourceFailureMessage.TOO_MANY_REDIRECTS,
  tls_failed: SourceFailureMessage.TLS_FAILED,
  certificate_untrusted: SourceFailureMessage.CERTIFICATE_UNTRUSTED,
  thumbprint_differs: SourceFailureMessage.THUMBPRINT_DIFFERS,
  not_regular_file: SourceFailureMessage.NOT_REGULAR_FILE,
  unreadable: SourceFailureMessage.UNREADABLE,
  size_differs: SourceFailureMessage.SIZE_DIFFERS,
  too_large: SourceFailureMessage.TOO_LARGE,
  changed: SourceFailureMessage.CHANGED,
  ended_early: SourceFailureMessage.ENDED_EARLY,
};

export function formatSession(session: Session): SessionMessage {
  return create(SessionSchema, {
    id: session.id,
    state: states[session.state],
    ...(session.itemId === undefined ? {} : { itemId: session.itemId }),
    access: accesses[session.access],
    visibility: visibilities[session.visibility],
    origin: session.origin,
    ownerUserId: session.ownerId,
    label: session.label,
    attributes: formatAttributes(session.attributes),
    fileCount: session.fileCount,
    clientProgress: session.clientProgress,
    lastEventNumber: BigInt(session.lastEvent),
    createTime: timestampFromDate(session.createdAt),
    updateTime: timestampFromDate(session.modifiedAt),
    ...(session.expiresAt === undefined ? {} : { expireTime: timestampFromDate(session.expiresAt) }),
    ...(session.endedAt === undefined ? {} : { endTime: timestampFromDate(session.endedAt) }),
    ...(session.failure === undefined ? {} : { failure: formatFailure(session.failure) }),
  });
}

export function formatFailure(failure: Failure): MessageInitShape<typeof FailureSchema> {
  return {
    reason: failureReasons[failure.reason],
    message: { id: `slipway.failure.${failure.reason}`, defaultMessage: failure.message },
    ...(failure.source && { sourceFailure: sourceFailures[failure.source] }),
  };
}

/** JSON as the well-known type Struct has it: plain, mutable objects. */
export function formatAttributes(attributes: Attributes) {
  return attributes as NonNullable<SessionMessage["attributes"]>;
}

export function parseAccess(access: SessionAccessMessage): SessionAccess {
  return access === SessionAccessMessage.UNSPECIFIED ? "additive" : keyOf(accesses, access, "access");
}

export function parseVisibility(visibility: SessionVisibilityMessage): SessionVisibility {
  return visibility === SessionVisibilityMessage.UNSPECIFIED ? "owner" : keyOf(visibilities, visibility, "visibility");
}

export function parseSessionState(state: SessionStateMessage): SessionState {
  return keyOf(states, state, "state", "PREDICATE_INVALID");
}

/** The core's word for an enum value; an unknown number is `invalid`. */
export function keyOf<Key extends string, Value>(
  words: Record<Key, Value>,
  value: Value,
  what: string,
  reason: Parameters<typeof invalid>[0] = "NUMBER_INVALID",
): Key {
  const entry = (Object.entries(words) as [Key, Value][]).find(([, message]) => message === value);
  if (entry === undefined) throw invalid(reason, `${what} has no value ${value}`);
  return entry[0];
}
