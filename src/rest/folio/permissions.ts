import { type Permission, permissions } from "../../core/index.js";

/** The names that this API has for what a role may do, by the core's permission that stands for them. */
const names: Readonly<Partial<Record<Permission, readonly string[]>>> = {
  read: [
    "data-import.splitconfig.get",
    "data-import.uploadDefinitions.collection.get",
    "data-import.uploadDefinitions.item.get",
    "data-import.fileExtensions.collection.get",
    "data-import.fileExtensions.item.get",
    "data-import.datatypes.get",
    "data-import.downloadUrl.get",
    "ui-data-import.view",
  ],
  upload: [
    "data-import.uploaddefinitions.post",
    "data-import.uploaddefinitions.put",
    "data-import.uploaddefinitions.delete",
    "data-import.uploadDefinitions.files.item.post",
    "data-import.uploaddefinitions.files.delete",
    "data-import.upload.file.post",
    "data-import.uploadDefinitions.processFiles.item.post",
    "data-import.assembleStorageFile.post",
    "data-import.uploadUrl.item.get",
    "data-import.uploadUrl.subsequent.item.get",
    "data-import.jobexecution.cancel",
    "ui-data-import.manage",
  ],
  administer: [
    "data-import.fileExtensions.post",
    "data-import.fileExtensions.put",
    "data-import.fileExtensions.delete",
    "data-import.fileExtensions.default.post",
    // A set, with these four in it.
    "data-import.upload.all",
  ],
};

/** The facts of a row that needs this permission. Throws `TypeError` for a name that nobody has. */
export function permissionFacts(permission: string): { readonly permission: string; readonly needs: Permission } {
  const needs = permissions.find((each) => names[each]?.includes(permission));
  if (needs === undefined) throw new TypeError(`no role has the permission ${permission}`);
  return { permission, needs };
}

/** What somebody with these permissions has, in this API's names. */
export function permissionNames(held: ReadonlySet<Permission>): readonly string[] {
  return permissions.flatMap((each) => (held.has(each) ? (names[each] ?? []) : []));
}
