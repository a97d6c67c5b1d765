/**
 * A worker that dies in the middle of the second epoch if it is the second worker.
 *
 * @module
 */

import type { ToWorker } from "../../lib/split/worker_messages.ts";
import { serveRun } from "../../lib/split/worker_side.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";

serveRun(SCENARIOS);

const scope = globalThis as unknown as {
  name: string;
  onmessage: (event: MessageEvent<ToWorker>) => void;
};
const serve = scope.onmessage;
scope.onmessage = (event) => {
  serve(event);
  // With one scenario, order 0 is the warm-up, and each further one an epoch.
  if (event.data.kind === "go" && event.data.order === 2 && scope.name === "worker 2") {
    setTimeout(() => {
      throw new Error("Out of luck");
    }, 100);
  }
};
