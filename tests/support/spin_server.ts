/**
 * A sound server on a thread of its own that keeps its core busy for a given time in each call.
 *
 * @module
 */

import { answerSoundly, startScriptedServer } from "./scripted_server.ts";

/** A server in a worker. */
export interface SpinServer extends Disposable {
  readonly url: string;
}

/**
 * Starts a server whose calls take so many microseconds longer than they need to, a share of them
 * (`slowEvery`: one in so many) `slowMicros` longer still.
 */
export async function startSpinServer(
  options: { micros: number; slowEvery?: number; slowMicros?: number },
): Promise<SpinServer> {
  const worker = new Worker(import.meta.url, { type: "module", name: "spin server" });
  const started = Promise.withResolvers<string>();
  worker.onmessage = ({ data }) => started.resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    started.reject(new Error(`Cannot start the spin server: ${event.message}`));
  };
  worker.postMessage(options);
  return { url: await started.promise, [Symbol.dispose]: () => worker.terminate() };
}

const scope = globalThis as unknown as {
  name?: string;
  onmessage: (event: MessageEvent<Parameters<typeof startSpinServer>[0]>) => void;
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
