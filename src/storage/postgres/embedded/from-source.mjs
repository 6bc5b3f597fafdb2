// Starts the TypeScript module of this folder that the query names, in a thread or process of its own. Used by tests
// and tools that run from the sources: `--import tsx` does not reach worker threads on Node 20.

import { register } from "tsx/esm/api";

register();
await import(`./${new URL(import.meta.url).search.slice(1)}.ts`);
