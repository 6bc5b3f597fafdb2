import type { FileExtension } from "./file-extension.js";
import type { DataType } from "./schema.js";

const marc = ["MARC"] as const;
const edifact = ["EDIFACT"] as const;
/** No data that anybody imports: these files are blocked. */
const none = [] as const;

const rows: readonly (readonly [extension: string, dataTypes: readonly DataType[], id: string])[] = [
  [".dat", marc, "f055f584-34bd-4f03-9478-484dd2db97c2"],
  [".edi", edifact, "501465c9-43d8-4b9e-a56f-bcca3bff627a"],
  [".gif", none, "9b8e1d50-1f30-4ea6-b49b-db57dbb23a77"],
  [".inv", edifact, "4764b236-15d1-443b-9a89-e1f990a2c9d9"],
  [".jpg", none, "03512ad3-7ebd-4c38-8b3a-e1d8a0ab8ef9"],
  [".marc", marc, "00133230-db62-4e42-905c-fa2074d262d3"],
  [".mrc", marc, "935adcb8-f492-48f9-9873-fc3da6411a7a"],
  [".mrk", none, "3eb9dbbc-947b-4d16-9a55-5bd8cbc9f02e"],
  [".ord", marc, "8afeab40-0b93-4449-9842-e1b1dc47d614"],
  [".pdf", none, "b5b51a4d-f928-42a4-adaf-3db57f71db66"],
  [".png", none, "2abd2a21-c940-4f8e-a2e6-d3aa15d8849f"],
  [".xml", marc, "51773556-adc9-45c8-9a21-d199b707e5de"],
  [".zip", none, "bbb364fc-ba0f-4e38-8238-139393f18b50"],
];

const system = { id: "00000000-0000-0000-0000-000000000000", name: "System" };
const date = "2019-01-01T00:00:00.000Z";

/** What every tenant begins with, and can go back to. */
export const defaultExtensions: readonly FileExtension[] = rows.map(([extension, dataTypes, id]) => ({
  id,
  description: "",
  extension,
  dataTypes,
  importBlocked: dataTypes.length === 0,
  userInfo: { firstName: "", lastName: "", userName: system.name },
  metadata: {
    createdDate: date,
    createdByUserId: system.id,
    createdByUsername: system.name,
    updatedDate: date,
    updatedByUserId: system.id,
    updatedByUsername: system.name,
  },
}));
