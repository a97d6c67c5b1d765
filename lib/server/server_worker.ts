/**
 * Runs a server in a worker; embedded.ts starts it and speaks to it.
 *
 * @module
 */

import { type RunningServer, startServer } from "./serve.ts";
import type { FromWorker, ToWorker } from "./worker_messages.ts";

/** The part of the worker's global scope in use; the types of the project are those of a window. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

const scope = globalThis as unknown as WorkerScope;
let server: RunningServer | null = null;

scope.onmessage = ({ data }) => {
  void handle(data);
};

async function handle(message: ToWorker): Promise<void> {
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
      scope.postMessage({ kind: "stats", request: message.request, stats: server.stats() });
      return;
    case "stop":
      await server?.stop();
      scope.postMessage({ kind: "stopped" });
      return;
    default:
      return message satisfies never;
  }
}
