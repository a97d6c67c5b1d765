/** True in the single file that `deno task bundle` writes. */
export const IS_BUNDLE: boolean = !import.meta.url.endsWith("/start_worker.ts");

/**
 * Starts a module in a worker thread. The bundle has no other files, so it starts itself under the
 * file name of the module, which bundle/entry.ts looks up.
 *
 * @param module its URL; a query reaches the worker's `import.meta.url`
 * @param label the thread's name outside the bundle. Default: the file name.
 */
export function startWorker(module: URL, label?: string): Worker {
  const file = module.pathname.split("/").at(-1)!;
  const name = IS_BUNDLE ? file : label ?? file;
  const { href } = IS_BUNDLE ? new URL(module.search, import.meta.url) : module;
  return new Worker(href, { type: "module", name });
}
