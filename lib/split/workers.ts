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
  const { reports, merged } = await new WorkersRun(settings, options).result();
  const { shard } = settings;
  return judgeReport(shard === null ? merged : asShard(merged, shard, reports), settings);
}

/** The workers of one run, and their reports. */
class WorkersRun {
  readonly #options: WorkersOptions;
  readonly #command: string[];
  readonly #workers = new Map<number, Worker>();
  readonly #done = Promise.withResolvers<void>();
  readonly #reports = new Map<number, Report>();
  /** Workers that have reported the current epoch. */
  readonly #reported = new Set<number>();
  /** Pending write of the partial report. */
  #writing: Promise<void> = Promise.resolve();
  readonly #lost: { index: number; reason: string }[] = [];
  readonly #barrier: StartBarrier;
  readonly #announced = new Set<string>();
  readonly #progress = new WorkersProgress();
  readonly #onAbort = () => this.#postAll({ kind: "abort" });

  constructor(settings: RunSettings, options: WorkersOptions) {
    const { workers: count, bundled, signal } = options;
    this.#options = options;
    this.#command = settings.command;
    const indices = Array.from({ length: count }, (_, index) => index + 1);
    // The partial report is written while no worker measures.
    this.#barrier = new StartBarrier(indices, async (order) => {
      await this.#writing;
      this.#postAll({ kind: "go", order, atMs: Date.now() + HEAD_START_MS });
    });
    const how = { gated: settings.startAtMs === null, embedded: bundled !== null };
    for (const index of indices) {
      this.#start(index);
      this.#post(index, { kind: "run", settings: shareOf(settings, { index, count }), ...how });
    }
    signal.addEventListener("abort", this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  /** @throws {Error} if every worker died before it had anything to report */
  async result(): Promise<{ reports: Report[]; merged: Report }> {
    await this.#done.promise;
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    const reports = [...this.#reports.values()];
    if (reports.length > 0) return { reports, merged: this.#merge() };
    throw new Error(
      `Cannot report anything as every worker died: ${this.#lost[0]?.reason ?? "unknown"}`,
    );
  }

  #merge(): Report {
    return mergeReports([...this.#reports].map(([index, report]) => ({ index, report })), {
      of: "workers",
      command: this.#command,
      count: this.#options.workers,
      lost: this.#lost,
    });
  }

  #start(index: number): void {
    const worker = startWorker(this.#options.module, `worker ${index}`);
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(index, data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(index, event.message);
    };
    this.#workers.set(index, worker);
  }

  #receive(index: number, message: FromWorker): void {
    switch (message.kind) {
      case "progress": {
        // Workers go through the epochs together, so one of them is enough.
        const isFirst = index === Math.min(...this.#workers.keys());
        if (isFirst) this.#options.onProgress(this.#progress.progressOf(message.progress));
        return;
      }
      case "figures":
        return this.#progress.heard(index, message.figures);
      case "warning":
        return this.#warn(message.message);
      case "ready":
        return this.#barrier.ready(index, message.order);
      case "partial":
        this.#reports.set(index, message.report);
        this.#reported.add(index);
        return this.#reportPartial();
      case "restart":
        return void this.#restartServer(index);
      case "done":
        this.#reports.set(index, message.report);
        return this.#end(index);
      default:
        return message satisfies never;
    }
  }

  /** Reports once every worker has ended the epoch. */
  #reportPartial(): void {
    if ([...this.#workers.keys()].some((index) => !this.#reported.has(index))) return;
    this.#reported.clear();
    this.#writing = this.#options.onPartialReport(this.#merge());
  }

  async #restartServer(index: number): Promise<void> {
    const error = await this.#options.bundled?.restart().then(() => null, String) ?? null;
    this.#post(index, { kind: "restarted", error });
  }

  /** Passes each distinct warning on once. */
  #warn(message: string): void {
    if (this.#announced.has(message)) return;
    this.#announced.add(message);
    this.#options.onWarning(message);
  }

  #lose(index: number, reason: string): void {
    this.#lost.push({ index, reason });
    const partial = this.#reports.get(index);
    // A partial report counts as interrupted; the lost part is reported instead.
    if (partial !== undefined) this.#reports.set(index, withoutInterrupt(partial));
    this.#options.onLost(`worker ${index} of ${this.#options.workers} died: ${reason}`);
    this.#end(index);
  }

  #end(index: number): void {
    this.#workers.get(index)?.terminate();
    this.#workers.delete(index);
    this.#barrier.gone(index);
    this.#progress.gone(index);
    if (this.#workers.size === 0) this.#done.resolve();
  }

  #post(index: number, message: ToWorker): void {
    this.#workers.get(index)?.postMessage(message);
  }

  #postAll(message: ToWorker): void {
    for (const index of this.#workers.keys()) this.#post(index, message);
  }
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

/** Starts a turn once every live worker is ready for it, or for a later one. */
export class StartBarrier {
  readonly #onGo: (order: number) => void | Promise<void>;
  /** The turn that each worker is ready for; `null`: it is measuring, or not ready yet. */
  readonly #waits: Map<number, number | null>;

  /** @param onGo Called with each turn that all are ready for. */
  constructor(workers: readonly number[], onGo: (order: number) => void | Promise<void>) {
    this.#waits = new Map(workers.map((worker) => [worker, null]));
    this.#onGo = onGo;
  }

  ready(worker: number, order: number): void {
    this.#waits.set(worker, order);
    this.#look();
  }

  /** Stops waiting for a worker that has ended or died. */
  gone(worker: number): void {
    this.#waits.delete(worker);
    this.#look();
  }

  /** Starts the earliest turn. Turns come in order, so workers ready for a later one skip it. */
  #look(): void {
    const waits = [...this.#waits.values()];
    if (waits.length === 0 || waits.includes(null)) return;
    const earliest = Math.min(...waits as number[]);
    for (const [worker, order] of this.#waits) {
      if (order === earliest) this.#waits.set(worker, null);
    }
    void this.#onGo(earliest);
  }
}
