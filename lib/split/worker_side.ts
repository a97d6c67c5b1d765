import { runBench } from "../run/bench.ts";
import { planScenarios } from "../run/plan.ts";
import type { BundledServer, Scenario } from "../run/scenario.ts";
import type { StartGate } from "../run/start_times.ts";
import { type FromWorker, reportProgress, type ToWorker } from "./worker_messages.ts";

/** Runs the share that the main thread posts, and posts back progress and reports. */
export function serveRun(scenarios: readonly Scenario[]): void {
  // The project is type-checked as a window, so the scope is typed as the other end, a Worker.
  const scope = globalThis as unknown as Worker;
  const post = (message: FromWorker) => scope.postMessage(message);
  const abort = new AbortController();
  const waiting = new Map<number, PromiseWithResolvers<number | null>>();
  let restarted = Promise.withResolvers<void>();

  const startGate: StartGate = ({ order }) => {
    const start = Promise.withResolvers<number | null>();
    waiting.set(order, start);
    abort.signal.addEventListener("abort", () => start.resolve(null), { once: true });
    post({ kind: "ready", order });
    return start.promise;
  };

  /** The bundled server runs in the main thread, which restarts it. */
  const bundled: BundledServer = {
    restart() {
      restarted = Promise.withResolvers();
      post({ kind: "restart" });
      return restarted.promise;
    },
  };

  /** If this throws, the worker ends and the main thread gets an error event. */
  async function run({ settings, gated, embedded }: Extract<ToWorker, { kind: "run" }>) {
    using reporter = reportProgress(post);
    const report = await runBench(settings, {
      planned: planScenarios(scenarios, settings),
      bundled: embedded ? bundled : null,
      signal: abort.signal,
      onWarning: (message) => post({ kind: "warning", message }),
      onProgress: reporter.show,
      onPartialReport: (report) => Promise.resolve(post({ kind: "partial", report })),
      ...(gated ? { startGate } : {}),
    });
    post({ kind: "done", report });
  }

  scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    switch (data.kind) {
      case "run":
        return void run(data);
      case "go":
        return waiting.get(data.order)?.resolve(data.atMs);
      case "restarted":
        return data.error === null ? restarted.resolve() : restarted.reject(new Error(data.error));
      case "abort":
        return abort.abort(new Error("interrupted"));
      default:
        data satisfies never;
    }
  };
}
