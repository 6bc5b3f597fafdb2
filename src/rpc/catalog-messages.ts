import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type ItemFile as ItemFileMessage,
  ItemFileSchema,
  type Item as ItemMessage,
  ItemSchema,
  type Library as LibraryMessage,
  LibrarySchema,
} from "../../gen/slipway/upload/v1/catalog_pb.js";
import type { Item, ItemFile, Library } from "../core/index.js";
import { formatContent } from "./file-messages.js";
import { formatAttributes } from "./session-messages.js";

export function formatLibrary(library: Library): LibraryMessage {
  return create(LibrarySchema, {
    id: library.id,
    name: library.name,
    description: library.description,
    version: BigInt(library.version),
    attributes: formatAttributes(library.attributes),
    createTime: timestampFromDate(library.createdAt),
    updateTime: timestampFromDate(library.modifiedAt),
    backingFolder: library.backingFolder ?? "",
  });
}

export function formatItem(item: Item): ItemMessage {
  return create(ItemSchema, {
    id: item.id,
    libraryId: item.libraryId,
    name: item.name,
    description: item.description,
    type: item.type,
    contentVersion: BigInt(item.contentVersion),
    version: BigInt(item.version),
    aliases: [...item.aliases],
    attributes: formatAttributes(item.attributes),
    createTime: timestampFromDate(item.createdAt),
    updateTime: timestampFromDate(item.modifiedAt),
  });
}

export function formatItemFile(file: ItemFile): ItemFileMessage {
  return create(ItemFileSchema, {
    name: file.name,
    version: BigInt(file.version),
    mediaType: file.mediaType,
    content: formatContent(file.content),
    attributes: formatAttributes(file.attributes),
    createTime: timestampFromDate(file.createdAt),
    updateTime: timestampFromDate(file.modifiedAt),
  });
}
