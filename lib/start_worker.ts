/** Is this the one file that `deno task bundle` writes, and not a module of the project? */
export const IS_BUNDLE: boolean = !import.meta.url.endsWith("/start_worker.ts");

/**
 * Starts a module in a worker thread. In the bundle there are no other files: its workers are the bundle
 * itself, under the name of the module's file, which bundle/entry.ts looks up.
 *
 * @param module its address, by `import.meta.url`; a query reaches the worker's `import.meta.url`
 * @param label the thread's name outside of the bundle; that of the file unless said otherwise
 */
export function startWorker(module: URL, label?: string): Worker {
  const file = module.pathname.split("/").at(-1)!;
  const name = IS_BUNDLE ? file : label ?? file;
  const { href } = IS_BUNDLE ? new URL(module.search, import.meta.url) : module;
  return new Worker(href, { type: "module", name });
}
