import { assertEquals } from "@std/assert";
import type { LiveFigures } from "../../lib/run/live.ts";
import {
  type FromWorker,
  reportProgress,
  WorkersProgress,
} from "../../lib/split/worker_messages.ts";

const RUNNING = {
  ...{ epoch: 1, epochs: 3, index: 2, of: 3, done: 1, total: 5 },
  state: "running",
  stage: "epoch",
  scenarios: ["open-loop"],
} as const;
const ENDED = { state: "ended", scenario: "open-loop", status: "passed", durationMs: 3 } as const;

function figures(more: Partial<LiveFigures>): LiveFigures {
  return { elapsedNs: 0, ok: 0, errors: 0, times: null, ...more };
}

Deno.test("workers' progress: adds up all calls, with the times of the first that has any", () => {
  const times = { name: "latency", p50Ns: 5, p99Ns: 9 };
  const all = new WorkersProgress();
  const progress = all.progressOf(RUNNING);
  assertEquals(all.live(), figures({}));
  all.heard(3, figures({ elapsedNs: 7e9, ok: 30, errors: 1 }));
  all.heard(2, figures({ elapsedNs: 6e9, ok: 10, times }));
  all.heard(4, figures({ ok: 2, times: { ...times, p50Ns: 6 } }));
  assertEquals(progress.state === "running" && progress.watch.live(), {
    ...{ elapsedNs: 7e9, ok: 42, errors: 1 },
    times,
  });
  all.gone(2);
  assertEquals([all.live().ok, all.live().times?.p50Ns], [32, 6]);
});

Deno.test("workers' progress: the next scenario starts without figures", () => {
  const all = new WorkersProgress();
  all.progressOf(RUNNING);
  all.heard(1, figures({ ok: 30 }));
  all.progressOf({ ...RUNNING, done: 2 });
  assertEquals(all.live().ok, 30);
  all.progressOf({ ...RUNNING, scenarios: ["soak"], index: 3 });
  assertEquals(all.live().ok, 0);
});

Deno.test("a worker posts its progress without what cannot be cloned", () => {
  const posted: FromWorker[] = [];
  using reporter = reportProgress((message) => posted.push(structuredClone(message)));
  reporter.show({ ...RUNNING, watch: { isPaced: false, live: () => figures({ ok: 1 }) } });
  reporter.show(ENDED);
  assertEquals(posted, [
    { kind: "progress", progress: RUNNING },
    { kind: "progress", progress: ENDED },
  ]);
});
