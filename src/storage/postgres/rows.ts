// Row <-> core value for sessions and what is in them. Besides the queries and the migrations, nothing else knows these
// columns' names.
import {
  type Attributes,
  type Checksum,
  type Content,
  type EventType,
  type Failure,
  type FileState,
  formatThumbprint,
  type LinkedContent,
  type NewEvent,
  type Pull,
  type PulledContent,
  parseSource,
  type Session,
  type SessionFile,
  type SessionHistoryEvent,
  type SessionState,
  type Source,
} from "../../core/index.js";

export interface SessionRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly owner_id: string;
  readonly state: SessionState;
  readonly access: Session["access"];
  readonly visibility: Session["visibility"];
  readonly origin: string;
  readonly label: string;
  readonly item_id: string | null;
  readonly base_content_version: number | null;
  readonly removals: readonly string[];
  readonly attributes: Attributes;
  readonly client_progress: number;
  readonly failure: Failure | null;
  readonly idle_ttl_ms: number;
  readonly absolute_ttl_ms: number | null;
  readonly keep_terminal_ms: number;
  readonly expires_at: Date | null;
  readonly file_count: number;
  readonly last_event: number;
  readonly created_at: Date;
  readonly modified_at: Date;
  readonly ended_at: Date | null;
}

export function sessionFromRow(row: SessionRow): Session {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    ownerId: row.owner_id,
    state: row.state,
    access: row.access,
    visibility: row.visibility,
    origin: row.origin,
    label: row.label,
    itemId: row.item_id ?? undefined,
    baseContentVersion: row.base_content_version ?? undefined,
    removals: row.removals,
    attributes: row.attributes,
    clientProgress: row.client_progress,
    failure: row.failure ?? undefined,
    deadlines: {
      idleTtlMs: row.idle_ttl_ms,
      absoluteTtlMs: row.absolute_ttl_ms ?? undefined,
      keepTerminalMs: row.keep_terminal_ms,
    },
    expiresAt: row.expires_at ?? undefined,
    fileCount: row.file_count,
    lastEvent: row.last_event,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    endedAt: row.ended_at ?? undefined,
  };
}

/** The same row as `to_jsonb` writes it: its times are texts. */
export interface SessionJson extends Omit<SessionRow, "expires_at" | "created_at" | "modified_at" | "ended_at"> {
  readonly expires_at: string | null;
  readonly created_at: string;
  readonly modified_at: string;
  readonly ended_at: string | null;
}

export function sessionFromJson(json: SessionJson): Session {
  return sessionFromRow({
    ...json,
    expires_at: json.expires_at === null ? null : new Date(json.expires_at),
    created_at: new Date(json.created_at),
    modified_at: new Date(json.modified_at),
    ended_at: json.ended_at === null ? null : new Date(json.ended_at),
  });
}

export function rowFromSession(session: Session) {
  return {
    id: session.id,
    tenant_id: session.tenantId,
    owner_id: session.ownerId,
    state: session.state,
    access: session.access,
    visibility: session.visibility,
    origin: session.origin,
    label: session.label,
    item_id: session.itemId ?? null,
    base_content_version: session.baseContentVersion ?? null,
    removals: JSON.stringify(session.removals),
    attributes: JSON.stringify(session.attributes),
    client_progress: session.clientProgress,
    failure: jsonOrNull(session.failure),
    idle_ttl_ms: session.deadlines.idleTtlMs,
    absolute_ttl_ms: session.deadlines.absoluteTtlMs ?? null,
    keep_terminal_ms: session.deadlines.keepTerminalMs,
    expires_at: session.expiresAt ?? null,
    file_count: session.fileCount,
    last_event: session.lastEvent,
    created_at: session.createdAt,
    modified_at: session.modifiedAt,
    ended_at: session.endedAt ?? null,
  };
}

/** A file with the attempts that it names. */
export interface FileRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly session_id: string;
  readonly name: string;
  readonly size_bytes: number | null;
  readonly checksums: readonly Checksum[];
  readonly media_type: string;
  readonly on_failure: SessionFile["onFailure"];
  readonly attributes: Attributes;
  readonly source: SourceJson | null;
  readonly pull: PullJson | null;
  readonly linked: LinkedContent | null;
  readonly state: FileState;
  readonly failure: Failure | null;
  readonly current_attempt_id: string | null;
  readonly current_size: number | null;
  readonly current_checksums: readonly Checksum[] | null;
  readonly running_attempt_id: string | null;
  readonly running_number: number | null;
  readonly running_epoch: number | null;
  readonly running_offset: number | null;
  readonly attempts: number;
  readonly created_at: Date;
  readonly modified_at: Date;
}

export function fileFromRow(row: FileRow): SessionFile {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    sessionId: row.session_id,
    name: row.name,
    sizeBytes: row.size_bytes ?? undefined,
    checksums: row.checksums,
    mediaType: row.media_type,
    onFailure: row.on_failure,
    source: row.source === null ? undefined : parseSource(row.source.uri, row.source.thumbprint),
    attributes: row.attributes,
    state: row.state,
    failure: row.failure ?? undefined,
    current:
      row.current_attempt_id === null
        ? undefined
        : contentFromRow(row.current_attempt_id, row.current_size, row.current_checksums),
    running:
      row.running_attempt_id === null
        ? undefined
        : {
            id: row.running_attempt_id,
            number: row.running_number!,
            epoch: row.running_epoch!,
            offset: row.running_offset!,
          },
    linked: row.linked ?? undefined,
    pull: row.pull === null ? undefined : pullFromJson(row.pull),
    attempts: row.attempts,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}

interface SourceJson {
  readonly uri: string;
  readonly thumbprint?: string;
}

function jsonFromSource({ address, thumbprint }: Source): SourceJson {
  return { uri: address.uri, ...(thumbprint && { thumbprint: formatThumbprint(thumbprint) }) };
}

/** What JSON leaves of a pull: its time is a text, and what is undefined is not there. */
type PullJson = Omit<Pull, "dueAt" | "problem" | "found"> & {
  readonly dueAt: string;
  readonly problem?: Pull["problem"];
  readonly found?: Partial<PulledContent> & Pick<PulledContent, "attemptId">;
};

function pullFromJson({ dueAt, problem, found, ...json }: PullJson): Pull {
  return {
    ...json,
    dueAt: new Date(dueAt),
    problem,
    found: found && { validator: undefined, sizeBytes: undefined, ...found },
  };
}

/** Content is an attempt that was accepted, which is when it got its checksums. */
export function contentFromRow(id: string, sizeBytes: number | null, checksums: readonly Checksum[] | null): Content {
  if (sizeBytes === null || checksums === null)
    throw new TypeError(`attempt ${id} is named as content but is not whole`);
  return { id, sizeBytes, checksums };
}

export function rowFromFile(file: SessionFile) {
  return {
    id: file.id,
    tenant_id: file.tenantId,
    session_id: file.sessionId,
    name: file.name,
    size_bytes: file.sizeBytes ?? null,
    checksums: JSON.stringify(file.checksums),
    media_type: file.mediaType,
    on_failure: file.onFailure,
    source: jsonOrNull(file.source && jsonFromSource(file.source)),
    pull: jsonOrNull(file.pull),
    linked: jsonOrNull(file.linked),
    attributes: JSON.stringify(file.attributes),
    state: file.state,
    failure: jsonOrNull(file.failure),
    current_attempt_id: file.current?.id ?? null,
    running_attempt_id: file.running?.id ?? null,
    attempts: file.attempts,
    created_at: file.createdAt,
    modified_at: file.modifiedAt,
  };
}

export interface EventRow {
  readonly session_id: string;
  readonly number: number;
  readonly type: EventType;
  readonly details: NewEvent["details"];
  readonly at: Date;
}

export function eventFromRow(row: EventRow): SessionHistoryEvent {
  return { sessionId: row.session_id, number: row.number, type: row.type, details: row.details, at: row.at };
}

/** The driver would write an array as a PostgreSQL array and undefined as a default: JSON columns get text. */
function jsonOrNull(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
