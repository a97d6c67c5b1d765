/**
 * The worker of embedded.ts.
 *
 * @module
 */

import type { FromWorker, ToWorker } from "./embedded.ts";
import { type RunningServer, startServer } from "./serve.ts";
import { workerScope } from "./worker_scope.ts";

const scope = workerScope<ToWorker, FromWorker>();
let server: RunningServer | null = null;

scope.onmessage = async ({ data: message }) => {
  switch (message.kind) {
    case "start":
      try {
        server = await startServer(message.options);
        scope.postMessage({ kind: "started", port: server.port, url: server.url });
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        scope.postMessage({ kind: "failed", message: text });
      }
      return;
    case "stats":
      if (server === null) return;
      scope.postMessage({ kind: "stats", stats: server.stats() });
      return;
    case "stop":
      await server?.stop();
      scope.postMessage({ kind: "stopped" });
      return;
    default:
      return message satisfies never;
  }
};
