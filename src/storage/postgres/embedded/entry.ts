/**
 * Where a worker thread or a child process starts a module of this folder from: the compiled module, or, when we run
 * from the TypeScript sources, a detour that loads them.
 */
export function entryUrl(name: string): URL {
  if (!import.meta.url.endsWith(".ts")) return new URL(`./${name}.js`, import.meta.url);
  const detour = new URL(`./from-source.mjs?${name}`, import.meta.url).href;
  // A worker drops the query of a file URL, hence the wrapping.
  return new URL(`data:text/javascript,${encodeURIComponent(`await import(${JSON.stringify(detour)})`)}`);
}
