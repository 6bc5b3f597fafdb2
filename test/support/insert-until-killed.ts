// A process of its own for crash tests: inserts 1, 2, 3, ... into `numbers` of the embedded database in the folder
// given, and prints each number once its insert was answered.

import { writeSync } from "node:fs";
import { connectDatabase } from "../../src/storage/postgres/connect.js";

const dataDir = process.argv[2];
if (dataDir === undefined) throw new TypeError("the data folder is missing");
const { knex } = await connectDatabase({ dataDir, poolSize: 1, durability: "fsync" });
await knex.raw("create table if not exists numbers (n int8 primary key)");
const [{ n: last }] = (await knex.raw("select coalesce(max(n), 0) as n from numbers")).rows;
for (let n = last + 1; ; n += 1) {
  await knex("numbers").insert({ n });
  writeSync(1, `${n}\n`);
}
