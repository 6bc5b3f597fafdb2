#!/usr/bin/env node
// CommonJS, because libuv reads the size of its pool once, before an ES module could set it: syncing, hashing and
// passwords share those threads.
const { existsSync } = require("node:fs");
const { availableParallelism } = require("node:os");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

process.env.UV_THREADPOOL_SIZE ??= String(Math.max(8, availableParallelism() * 2));

const entry = join(__dirname, "../../dist/src/cli/main.js");
if (!existsSync(entry)) {
  process.stderr.write("slipway: it is not built yet: run `npm run build` first\n");
  process.exit(1);
}
import(pathToFileURL(entry).href)
  .then(({ runAsProcess }) => runAsProcess())
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });
