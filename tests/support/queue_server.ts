/** A server of a known capacity, on a thread of its own. */
export interface QueueServer extends Disposable {
  readonly url: string;
  /** Stops its work for so many milliseconds, beginning after the call that it works on. */
  stall(milliseconds: number): void;
}

/** What its thread is told. */
export type ToQueueServer =
  | { capacityPerSecond: number; service: "constant" | "exponential" }
  | { stallMs: number };

/**
 * Starts a server that works on one call at a time, over all connections: its capacity is exact, as a virtual clock
 * says when each call is done.
 *
 * @param service of calls: each as long as the others, or exponential, from a fixed seed
 */
export async function startQueueServer(
  capacityPerSecond: number,
  service: "constant" | "exponential" = "constant",
): Promise<QueueServer> {
  const worker = new Worker(new URL("./queue_server_worker.ts", import.meta.url).href, {
    type: "module",
    name: "queue server",
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(`Cannot start the queue server: ${event.message}`));
  };
  const post = (message: ToQueueServer) => worker.postMessage(message);
  post({ capacityPerSecond, service });
  const url = await promise;
  return {
    url,
    stall: (stallMs) => post({ stallMs }),
    [Symbol.dispose]: () => worker.terminate(),
  };
}
