// The child process that creates a database: it needs some 800 MiB for a moment, which the server then never holds.

import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { syncTree } from "./durable-fs.js";

const folder = process.argv.at(-1);
if (folder === undefined) throw new TypeError("the folder to create is missing");

// A parent that is gone will never rename the folder.
process.on("disconnect", () => process.exit(1));

const database = await PGlite.create({ fs: new NodeFS(folder) });
await database.close();
syncTree(folder);
process.exit(0);
