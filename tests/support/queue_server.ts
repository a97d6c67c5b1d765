import { startWorkerServer } from "./worker_server.ts";

/** A server of known capacity, on its own thread. */
export interface QueueServer extends Disposable {
  readonly url: string;
  /** Pauses the work for this long, after the present call. */
  stall(milliseconds: number): void;
}

/** A message to the thread of a queue server. */
export type ToQueueServer =
  | { capacityPerSecond: number; service: "constant" | "exponential" }
  | { stallMs: number };

/**
 * Starts a server that works on one call at a time, over all connections. Its capacity is exact,
 * because a virtual clock decides when each call is done.
 *
 * @param service service times: all equal, or exponential from a fixed seed
 */
export async function startQueueServer(
  capacityPerSecond: number,
  service: "constant" | "exponential" = "constant",
): Promise<QueueServer> {
  const module = new URL("./queue_server_worker.ts", import.meta.url);
  const options: ToQueueServer = { capacityPerSecond, service };
  const { worker, ...server } = await startWorkerServer(module, "queue server", options);
  return {
    ...server,
    stall: (stallMs) => worker.postMessage({ stallMs } satisfies ToQueueServer),
  };
}
