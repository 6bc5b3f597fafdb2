import { expect, it } from "vitest";
import { permissionsOf, type Role } from "../../../src/core/index.js";
import { permissionNames } from "../../../src/rest/folio/permissions.js";

/** As the module's descriptor has it, in the names of today. */
const uploadAll = [
  "data-import.upload.file.post",
  "data-import.uploadUrl.item.get",
  "data-import.uploaddefinitions.post",
  "data-import.uploadDefinitions.collection.get",
  "data-import.uploadDefinitions.item.get",
  "data-import.uploaddefinitions.put",
  "data-import.uploaddefinitions.delete",
  "data-import.uploaddefinitions.files.delete",
  "data-import.uploadDefinitions.files.item.post",
  "data-import.fileExtensions.collection.get",
  "data-import.fileExtensions.item.get",
  "data-import.fileExtensions.post",
  "data-import.fileExtensions.put",
  "data-import.fileExtensions.delete",
  "data-import.fileExtensions.default.post",
];

it.each<[Role, boolean]>([
  ["reader", false],
  ["uploader", false],
  ["admin", true],
])("that a %s has the set data-import.upload.all is %s: it stands for all that is in it", (role, hasSet) => {
  const names = permissionNames(permissionsOf(role, "diku"));
  expect(names.includes("data-import.upload.all")).toBe(hasSet);
  expect(uploadAll.every((name) => names.includes(name))).toBe(hasSet);
});
