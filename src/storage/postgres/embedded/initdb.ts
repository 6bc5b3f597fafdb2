// The child process that creates a database: it needs some 600 MiB for a moment, which the server then never holds.
// The database is made in memory and then written out, each file once: on the disk its making takes twice as long.

import fs from "node:fs";
import { setFlagsFromString } from "node:v8";
import { PGlite } from "@electric-sql/pglite";
import { syncPath } from "./durable-fs.js";

/** Where PGlite keeps the database in its memory. */
const inside = PGlite.paths.PGDATA;

type MemoryFS = PGlite["Module"]["FS"];

// Code that runs for a second is not worth compiling well.
setFlagsFromString("--liftoff-only");
// A parent that is gone will never rename the folder.
process.on("disconnect", () => process.exit(1));

async function create(folder: string): Promise<void> {
  fs.mkdirSync(folder, { mode: 0o700 });
  const database = await PGlite.create();
  const { FS } = database.Module;
  await database.close();
  writeTree(FS, inside, folder);
}

/** Durable when it returns. */
function writeTree(FS: MemoryFS, from: string, to: string): void {
  for (const name of FS.readdir(from)) {
    if (name === "." || name === "..") continue;
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    if (FS.isDir(FS.stat(source, false).mode)) {
      fs.mkdirSync(target, { mode: 0o700 });
      writeTree(FS, source, target);
    } else {
      const content = FS.readFile(source, { encoding: "binary" });
      fs.writeFileSync(target, content, { mode: 0o600, flag: "wx" });
      syncPath(target);
    }
  }
  syncPath(to);
}

const folder = process.argv.at(-1);
if (folder === undefined) throw new TypeError("the folder to create is missing");
try {
  await create(folder);
  process.exit(0);
} catch (error) {
  fs.writeSync(2, error instanceof Error ? error.message : String(error));
  process.exit(1);
}
