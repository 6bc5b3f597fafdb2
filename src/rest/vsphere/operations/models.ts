// Structures that several services share; the names and members are the API's, and in XML they come in the order of its
// documents.
import { boolean, instant, integer, list, oneOf, optional, struct, text } from "../schema.js";

export const localizableMessage = struct({ default_message: text, id: text, args: list(text) });

/** What is declared of a checksum. Without an algorithm it is a SHA1. */
export const checksumInfo = struct({
  checksum: text,
  algorithm: optional(oneOf("SHA1", "MD5", "SHA256", "SHA512")),
});

export const transferEndpoint = struct({
  ssl_certificate_thumbprint: optional(text),
  uri: text,
  ssl_certificate: optional(text),
});

export const warningType = oneOf(
  "SELF_SIGNED_CERTIFICATE",
  "EXPIRED_CERTIFICATE",
  "NOT_YET_VALID_CERTIFICATE",
  "UNTRUSTED_CERTIFICATE",
);

export const warningBehavior = struct({ type: warningType, ignored: boolean });

export const storageBacking = struct({
  type: oneOf("DATASTORE", "OTHER"),
  datastore_id: optional(text),
  storage_uri: optional(text),
});

export const itemFileInfo = {
  name: text,
  size: integer,
  cached: boolean,
  version: text,
  checksum_info: optional(checksumInfo),
};

export const transferred = {
  bytes_transferred: integer,
  size: optional(integer),
  checksum_info: optional(checksumInfo),
  error_message: optional(localizableMessage),
};

export const fileInfo = struct(itemFileInfo);

export const storageInfo = struct({ ...itemFileInfo, storage_backing: storageBacking, storage_uris: list(text) });

/** What of a thing nobody sets: when it was made, and when last changed. */
export const times = { creation_time: instant, last_modified_time: instant };
