export interface WorkerServer extends Disposable {
  readonly url: string;
  readonly worker: Worker;
}

/** Starts a server in a worker that receives `options` and posts its URL. */
export async function startWorkerServer(
  module: URL,
  name: string,
  options: unknown,
): Promise<WorkerServer> {
  const worker = new Worker(module.href, { type: "module", name });
  const started = Promise.withResolvers<string>();
  worker.onmessage = ({ data }) => started.resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    started.reject(new Error(`Cannot start the ${name}: ${event.message}`));
  };
  worker.postMessage(options);
  return { url: await started.promise, worker, [Symbol.dispose]: () => worker.terminate() };
}
