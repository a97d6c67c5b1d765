/** Is this the one file that `deno task bundle` writes, and not a module of the project? */
export const IS_BUNDLE: boolean = !import.meta.url.endsWith("/start_worker.ts");

/**
 * Starts a module in a worker thread, under the name of its file. In the bundle there are no other files:
 * its workers are the bundle itself, which looks the name up in bundle/entry.ts.
 *
 * @param module its address, by `import.meta.url`; a query reaches the worker's `import.meta.url`
 */
export function startWorker(module: URL): Worker {
  const name = module.pathname.split("/").at(-1)!;
  const { href } = IS_BUNDLE ? new URL(module.search, import.meta.url) : module;
  return new Worker(href, { type: "module", name });
}
