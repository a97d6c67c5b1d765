/**
 * Where the one file begins, which `deno task bundle` makes of it: the program, or, in a thread that
 * `startWorker` has started, the worker of that name.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Every module that runs in a worker, by its file's name. */
const WORKERS: Readonly<Record<string, () => Promise<unknown>>> = {
  "echo_worker.ts": () => import("../lib/server/echo_worker.ts"),
  "null_worker.ts": () => import("../lib/server/null_worker.ts"),
  "pacer_worker.ts": () => import("../lib/load/pacer_worker.ts"),
  "relay_worker.ts": () => import("../lib/client/relay_worker.ts"),
  "server_worker.ts": () => import("../lib/server/server_worker.ts"),
  "worker.ts": () => import("../scenarios/worker.ts"),
};

// The tasks of deno.json do the same by --v8-flags, so that garbage is collected between epochs.
setFlagsFromString("--expose-gc");
Object.assign(globalThis, { gc: runInNewContext("gc") });

if ("DedicatedWorkerGlobalScope" in globalThis) {
  const { name } = globalThis as unknown as { name: string };
  const start = WORKERS[name];
  if (start === undefined) {
    throw new Error(`Cannot start the worker ${name}: it is missing in bundle/entry.ts`);
  }
  await start();
} else {
  const { main } = await import("../main.ts");
  Deno.exit(await main(Deno.args));
}
