// The bodies of requests, as the API's schemas describe them. What a server sets may be sent back; the rest is refused.
import type { JsonValue } from "../../core/index.js";
import { date, flag, int32, list, object, oneOf, readBody, text, uuid } from "./shapes.js";

export const definitionStatuses = ["NEW", "IN_PROGRESS", "LOADED", "COMPLETED", "ERROR"] as const;
export type DefinitionStatus = (typeof definitionStatuses)[number];

export const fileStatuses = ["NEW", "UPLOADING", "UPLOADED", "ERROR"] as const;
export type FileStatus = (typeof fileStatuses)[number];

/** Sorted, as they are listed. */
export const dataTypes = ["Delimited", "EDIFACT", "MARC"] as const;
export type DataType = (typeof dataTypes)[number];

/** A definition in a client's words. */
export interface DefinitionWords {
  readonly id?: string;
  readonly metaJobExecutionId?: string;
  readonly status?: DefinitionStatus;
  readonly createDate?: Date;
  readonly fileDefinitions: readonly FileWords[];
}

/** A file of a definition in a client's words; `size` is in KB. */
export interface FileWords {
  readonly id?: string;
  readonly name: string;
  readonly status?: FileStatus;
  readonly jobExecutionId?: string;
  readonly uploadDefinitionId?: string;
  readonly createDate?: Date;
  readonly uploadedDate?: Date;
  readonly size?: number;
  readonly uiKey?: string;
}

export interface JobProfileWords {
  readonly id: string;
  readonly name?: string;
  readonly dataType?: DataType;
  readonly hidden?: boolean;
}

export interface ProcessFilesWords {
  readonly uploadDefinition: DefinitionWords;
  readonly jobProfileInfo: JobProfileWords;
}

export interface UserInfo {
  readonly firstName?: string;
  readonly lastName?: string;
  readonly userName?: string;
}

/** A file extension in a client's words. */
export interface ExtensionWords {
  readonly id?: string;
  readonly description?: string;
  readonly extension: string;
  readonly dataTypes: readonly DataType[];
  readonly importBlocked: boolean;
  readonly userInfo?: UserInfo;
}

/** A file's name and key are kept in its attributes, which by default have room for two such texts of any characters. */
const name = text(4096);
const word = text(255);

const file = object<FileWords>({
  members: {
    id: uuid,
    name,
    status: oneOf(fileStatuses),
    jobExecutionId: uuid,
    uploadDefinitionId: uuid,
    createDate: date,
    uploadedDate: date,
    size: int32,
    uiKey: name,
  },
  required: ["name"],
  readOnly: ["sourcePath"],
});

const definition = object<DefinitionWords>({
  members: {
    id: uuid,
    metaJobExecutionId: uuid,
    status: oneOf(definitionStatuses),
    createDate: date,
    fileDefinitions: list(file),
  },
  readOnly: ["metadata"],
});

const processFiles = object<ProcessFilesWords>({
  members: {
    uploadDefinition: definition,
    jobProfileInfo: object<JobProfileWords>({
      members: { id: uuid, name, dataType: oneOf(dataTypes), hidden: flag },
      required: ["id"],
    }),
  },
  required: ["uploadDefinition", "jobProfileInfo"],
});

const extension = object<ExtensionWords>({
  members: {
    id: word,
    description: text(2000),
    extension: word,
    dataTypes: list(oneOf(dataTypes)),
    importBlocked: flag,
    userInfo: object<UserInfo>({ members: { firstName: word, lastName: word, userName: word } }),
  },
  required: ["extension", "importBlocked"],
  readOnly: ["metadata"],
});

/** These throw `FolioRefusal` (400) for what a parser would not take, and `FolioErrors` (422) for broken rules. */
export const readUploadDefinition = (body: JsonValue): DefinitionWords => readBody(definition, body);
export const readFileDefinition = (body: JsonValue): FileWords => readBody(file, body);
export const readProcessFiles = (body: JsonValue): ProcessFilesWords => readBody(processFiles, body);
export const readFileExtension = (body: JsonValue): ExtensionWords => readBody(extension, body);
