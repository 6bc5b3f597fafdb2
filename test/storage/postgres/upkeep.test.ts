import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { expect, test } from "vitest";
import { createUpkeep } from "../../../src/storage/postgres/embedded/upkeep.js";
import { copyEmbeddedTemplate } from "../../support/embedded-template.js";

test("upkeep keeps the log small and clears dead rows away", async () => {
  const folder = join(await copyEmbeddedTemplate(), "database");
  const database = await PGlite.create({ fs: new NodeFS(folder) });
  const upkeep = createUpkeep(database, { lookEveryMs: 0, checkpointAfterBytes: 8 * 1024 * 1024, vacuumEveryMs: 0 });
  await database.exec("create table bulk (n int8, text text)");
  for (let round = 0; round < 12; round += 1) {
    await database.exec("insert into bulk select n, repeat(md5(n::text), 30) from generate_series(1, 10000) n");
    await database.exec("delete from bulk");
    // Statistics reach the views once a second at most, unless asked.
    await database.exec("select pg_stat_force_next_flush()");
    await upkeep();
  }
  const segments = (await readdir(join(folder, "pg_wal"))).filter((name) => /^[0-9A-F]{24}$/.test(name));
  expect(segments.length).toBeLessThan(8);
  const { rows } = await database.query<{ bytes: number }>("select pg_relation_size('bulk') as bytes");
  expect(rows[0]?.bytes).toBeLessThan(30_000_000);
  await database.close();
});
