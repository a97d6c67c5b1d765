/**
 * A worker that reports three epochs without measuring. If the server is bundled, it first has
 * it restarted, and warns of an error. Worker 3 dies in the second epoch, after the others have
 * reported it; worker 2 is slow in the third.
 *
 * @module
 */

import type { FromWorker, ToWorker } from "../../lib/split/worker_messages.ts";
import { sampleReport } from "./sample_report.ts";

const scope = globalThis as unknown as Worker & { name: string };
const post = (message: FromWorker) => scope.postMessage(message);
const report = (epoch: number) => ({
  ...{ ...sampleReport("passed"), scenarios: [], finishedAt: `after epoch ${epoch}` },
});
const delay = (milliseconds: number) => new Promise((wake) => setTimeout(wake, milliseconds));

async function measure(epoch: number): Promise<void> {
  if (epoch === 2 && scope.name === "worker 3") {
    await delay(200);
    throw new Error("Out of luck");
  }
  if (epoch === 3 && scope.name === "worker 2") await delay(200);
  if (epoch > 0) post({ kind: "partial", report: report(epoch) });
  if (epoch < 3) post({ kind: "ready", order: epoch + 1 });
  else post({ kind: "done", report: report(epoch) });
}

scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === "run" && data.embedded) post({ kind: "restart" });
  if (data.kind === "run") void measure(0);
  if (data.kind === "go") void measure(data.order);
  if (data.kind === "restarted" && data.error !== null) {
    post({ kind: "warning", message: data.error });
  }
};
