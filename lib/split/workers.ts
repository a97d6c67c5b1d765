import type { Report, ShardPlace } from "../schema.ts";
import { startWorker } from "../start_worker.ts";
import { partOf, WHOLE } from "../load/share.ts";
import { judgeReport } from "../run/judge_report.ts";
import type { RunHooks } from "../run/run.ts";
import type { RunSettings } from "../run/settings.ts";
import { EXIT } from "../run/verdict.ts";
import { asShard, mergeReports } from "./merge.ts";
import { type FromWorker, type ToWorker, WorkersProgress } from "./worker_messages.ts";

/** Delay between all workers being ready and the start, so that the message reaches all of them. */
const HEAD_START_MS = 30;

export interface WorkersOptions extends Omit<RunHooks, "startGate" | "planned"> {
  workers: number;
  /** Worker module that calls `serveRun`. */
  module: URL;
  /** Called as soon as a worker has died. */
  onLost: (message: string) => void;
}

/**
 * Runs the settings on several workers and merges their reports. If a worker dies, the verdict says
 * so, and the figures of the others are kept.
 *
 * @throws {Error} if every worker died before it had anything to report
 */
export async function runOnWorkers(
  settings: RunSettings,
  options: WorkersOptions,
): Promise<Report> {
  const { workers: count, module, bundled, signal } = options;
  const workers = new Map<number, Worker>();
  const reports = new Map<number, Report>();
  /** Workers that have reported the current epoch. */
  const reported = new Set<number>();
  const lost: { index: number; reason: string }[] = [];
  const announced = new Set<string>();
  const progress = new WorkersProgress();
  const done = Promise.withResolvers<void>();
  /** Pending write of the partial report. */
  let writing: Promise<void> = Promise.resolve();
  const indices = Array.from({ length: count }, (_, index) => index + 1);
  // The partial report is written while no worker measures.
  const barrier = createStartBarrier(indices, async (order) => {
    await writing;
    postAll({ kind: "go", order, atMs: Date.now() + HEAD_START_MS });
  });

  function post(index: number, message: ToWorker): void {
    workers.get(index)?.postMessage(message);
  }

  function postAll(message: ToWorker): void {
    for (const index of workers.keys()) post(index, message);
  }

  function merge(): Report {
    const parts = [...reports].map(([index, report]) => ({ index, report }));
    return mergeReports(parts, { of: "workers", command: settings.command, count, lost });
  }

  function start(index: number): void {
    const worker = startWorker(module, `worker ${index}`);
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => receive(index, data);
    worker.onerror = (event) => {
      event.preventDefault();
      lose(index, event.message);
    };
    workers.set(index, worker);
    const how = { gated: settings.startAtMs === null, embedded: bundled !== null };
    post(index, { kind: "run", settings: shareOf(settings, { index, count }), ...how });
  }

  function receive(index: number, message: FromWorker): void {
    switch (message.kind) {
      case "progress":
        // Workers go through the epochs together, so one of them is enough.
        if (index !== Math.min(...workers.keys())) return;
        return options.onProgress(progress.progressOf(message.progress));
      case "figures":
        return progress.heard(index, message.figures);
      case "warning":
        if (!announced.has(message.message)) options.onWarning(message.message);
        return void announced.add(message.message);
      case "ready":
        return barrier.ready(index, message.order);
      case "partial":
        reports.set(index, message.report);
        reported.add(index);
        return reportPartial();
      case "restart":
        return void restartServer(index);
      case "done":
        reports.set(index, message.report);
        return end(index);
      default:
        return message satisfies never;
    }
  }

  /** Reports once every live worker has ended the epoch. */
  function reportPartial(): void {
    if (reported.size === 0 || reported.size < workers.size) return;
    reported.clear();
    writing = options.onPartialReport(merge());
  }

  async function restartServer(index: number): Promise<void> {
    const error = await bundled!.restart().then(() => null, (error: Error) => error.message);
    post(index, { kind: "restarted", error });
  }

  function lose(index: number, reason: string): void {
    lost.push({ index, reason });
    const partial = reports.get(index);
    // A partial report counts as interrupted; the lost part is reported instead.
    if (partial !== undefined) reports.set(index, withoutInterrupt(partial));
    options.onLost(`worker ${index} of ${count} died: ${reason}`);
    end(index);
  }

  function end(index: number): void {
    workers.get(index)?.terminate();
    workers.delete(index);
    reported.delete(index);
    // The others may have waited for this one only.
    reportPartial();
    barrier.gone(index);
    progress.gone(index);
    if (workers.size === 0) done.resolve();
  }

  for (const index of indices) start(index);
  const onAbort = () => postAll({ kind: "abort" });
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  await done.promise;
  signal.removeEventListener("abort", onAbort);
  if (reports.size === 0) {
    throw new Error(
      `Cannot report anything as every worker died: ${lost[0]?.reason ?? "unknown"}`,
    );
  }
  const { shard } = settings;
  const merged = merge();
  return judgeReport(
    shard === null ? merged : asShard(merged, shard, [...reports.values()]),
    settings,
  );
}

/** One worker's settings: its share, without what is judged after merging. */
function shareOf(settings: RunSettings, place: ShardPlace): RunSettings {
  return {
    ...settings,
    shard: partOf(settings.shard ?? WHOLE, place),
    loops: place.count,
    thresholds: [],
    baselines: [],
    strict: false,
  };
}

function withoutInterrupt(report: Report): Report {
  const reasons = report.verdict.reasons.filter(({ code }) => code !== EXIT.interrupted);
  return { ...report, verdict: { ...report.verdict, reasons } };
}

/**
 * Starts a turn once every live worker is ready for it, or for a later one.
 *
 * @param onGo Called with each turn that all are ready for.
 */
export function createStartBarrier(
  workers: readonly number[],
  onGo: (order: number) => void | Promise<void>,
) {
  /** The turn that each worker is ready for; `null`: it is measuring, or not ready yet. */
  const waits = new Map<number, number | null>(workers.map((worker) => [worker, null]));

  /** Starts the earliest turn. Turns come in order, so workers ready for a later one skip it. */
  function look(): void {
    const orders = [...waits.values()].filter((order) => order !== null);
    if (orders.length === 0 || orders.length < waits.size) return;
    const earliest = Math.min(...orders);
    for (const [worker, order] of waits) if (order === earliest) waits.set(worker, null);
    void onGo(earliest);
  }

  return {
    ready(worker: number, order: number): void {
      waits.set(worker, order);
      look();
    },
    /** Stops waiting for a worker that has ended or died. */
    gone(worker: number): void {
      waits.delete(worker);
      look();
    },
  };
}
