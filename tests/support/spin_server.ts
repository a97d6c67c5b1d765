/**
 * A correct server on its own thread that keeps its core busy for a given time in each call.
 *
 * @module
 */

import { answerSoundly, startScriptedServer } from "./scripted_server.ts";
import { startWorkerServer, type WorkerServer } from "./worker_server.ts";

interface SpinOptions {
  micros: number;
  slowEvery?: number;
  slowMicros?: number;
}

/** Starts a server that spins for `micros` per call, plus `slowMicros` in every `slowEvery`th. */
export function startSpinServer(options: SpinOptions): Promise<WorkerServer> {
  return startWorkerServer(new URL(import.meta.url), "spin server", options);
}

const scope = globalThis as unknown as {
  name?: string;
  onmessage: (event: MessageEvent<SpinOptions>) => void;
  postMessage(url: string): void;
};

if (scope.name === "spin server") {
  scope.onmessage = ({ data: { micros, slowEvery = Infinity, slowMicros = 0 } }) => {
    let calls = 0;
    const server = startScriptedServer((peer, message) => {
      if (message?.op === "call_tool") {
        const spinMs = (micros + (++calls % slowEvery === 0 ? slowMicros : 0)) / 1e3;
        for (const endMs = performance.now() + spinMs; performance.now() < endMs;);
      }
      answerSoundly(peer, message);
    });
    scope.postMessage(server.url);
  };
}
