/**
 * A correct server on its own thread that keeps its core busy for a given time in each call.
 *
 * @module
 */

import { answerSoundly, startScriptedServer } from "./scripted_server.ts";

/**
 * Starts a server that spins for `micros` in each call, plus `slowMicros` in every `slowEvery`th.
 */
export async function startSpinServer(
  options: { micros: number; slowEvery?: number; slowMicros?: number },
): Promise<Disposable & { readonly url: string }> {
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
