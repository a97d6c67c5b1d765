/** A server of a known capacity, on a thread of its own. */
export interface QueueServer extends Disposable {
  readonly url: string;
}

/**
 * Starts a server that works on one call at a time, each as long as the others, over all connections: its
 * capacity is exact, as a virtual clock says when each call is done.
 */
export async function startQueueServer(capacityPerSecond: number): Promise<QueueServer> {
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
  worker.postMessage(capacityPerSecond);
  const url = await promise;
  return { url, [Symbol.dispose]: () => worker.terminate() };
}
