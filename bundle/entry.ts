/**
 * Entry of the bundle. Runs the program, or the worker named by `startWorker` in a worker thread.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Modules that run in a worker, by file name. */
const WORKERS: Readonly<Record<string, () => Promise<unknown>>> = {
  "echo_worker.ts": () => import("../lib/server/echo_worker.ts"),
  "null_worker.ts": () => import("../lib/server/null_worker.ts"),
  "pacer_worker.ts": () => import("../lib/load/pacer_worker.ts"),
  "relay_worker.ts": () => import("../lib/client/relay_worker.ts"),
  "server_worker.ts": () => import("../lib/server/server_worker.ts"),
  "worker.ts": () => import("../scenarios/worker.ts"),
};

// For garbage collection between epochs. The tasks in deno.json set --v8-flags instead.
setFlagsFromString("--expose-gc");
Object.assign(globalThis, { gc: runInNewContext("gc") });

if ("DedicatedWorkerGlobalScope" in globalThis) {
  const { name } = globalThis as unknown as { name: string };
  const start = WORKERS[name];
  if (start === undefined) {
    throw new Error(`Cannot start the worker ${name}: it is missing from bundle/entry.ts`);
  }
  await start();
} else {
  const { main } = await import("../main.ts");
  Deno.exit(await main(Deno.args));
}
