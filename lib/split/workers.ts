/**
 * A run on several workers of this process: each with an event loop and a share of its own, merged as
 * shards are.
 *
 * @module
 */

import type { Report, ShardPlace } from "../schema.ts";
import { startWorker } from "../start_worker.ts";
import { partOf, WHOLE } from "../load/share.ts";
import { judgeReport } from "../run/judge_report.ts";
import type { RunHooks } from "../run/run.ts";
import type { RunSettings } from "../run/settings.ts";
import { EXIT } from "../run/verdict.ts";
import { asShard, mergeReports } from "./merge.ts";
import type { LostPart, MergeOptions, Part } from "./parts.ts";
import { StartBarrier } from "./start_barrier.ts";
import type { FromWorker, ToWorker } from "./worker_messages.ts";
import { WorkersProgress } from "./worker_progress.ts";

/** From the moment that all workers are ready to the beginning, so that the word reaches all of them. */
const HEAD_START_MS = 30;

export interface WorkersOptions extends Omit<RunHooks, "startGate"> {
  workers: number;
  /** The module that serves a share: see `serveRun`. */
  module: URL;
  /** Hears of a worker that has died, as soon as it has. */
  onLost: (message: string) => void;
}

/**
 * Runs the settings on so many workers, and merges what they report. A worker that dies is told, in the
 * verdict too, and what the others measured is kept.
 *
 * @throws {Error} if every worker died before it had anything to report
 */
export async function runOnWorkers(
  settings: RunSettings,
  options: WorkersOptions,
): Promise<Report> {
  const { parts, merged } = await new WorkersRun(settings, options).result();
  const { shard } = settings;
  const placed = shard === null
    ? merged
    : asShard(merged, shard, parts.map(({ report }) => report));
  return judgeReport(placed, settings);
}

/** The workers of one run, and what has come from them. */
class WorkersRun {
  readonly #options: WorkersOptions;
  readonly #command: string[];
  readonly #workers = new Map<number, Worker>();
  readonly #done = Promise.withResolvers<void>();
  readonly #parts = new Map<number, Report>();
  /** Workers whose report of the present epoch has come. */
  readonly #reported = new Set<number>();
  /** The writing of what all have so far. */
  #writing: Promise<void> = Promise.resolve();
  readonly #lost: LostPart[] = [];
  readonly #barrier: StartBarrier;
  readonly #announced = new Set<string>();
  readonly #progress = new WorkersProgress();
  readonly #onAbort = () => this.#postAll({ kind: "abort" });

  constructor(settings: RunSettings, options: WorkersOptions) {
    this.#options = options;
    this.#command = settings.command;
    const indices = Array.from({ length: options.workers }, (_, index) => index + 1);
    // Files are written while nobody measures.
    this.#barrier = new StartBarrier(indices, async (order) => {
      await this.#writing;
      this.#postAll({ kind: "go", order, atMs: Date.now() + HEAD_START_MS });
    });
    const gated = settings.startAtMs === null;
    const embedded = options.bundled !== null;
    for (const index of indices) {
      const worker = this.#start(index);
      const place = { index, count: options.workers };
      this.#post(worker, { kind: "run", settings: shareOf(settings, place), gated, embedded });
    }
    options.signal.addEventListener("abort", this.#onAbort, { once: true });
    if (options.signal.aborted) this.#onAbort();
  }

  /** @throws {Error} if every worker died before it had anything to report */
  async result(): Promise<{ parts: Part[]; merged: Report }> {
    await this.#done.promise;
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    const parts = this.#partList();
    if (parts.length > 0) return { parts, merged: mergeReports(parts, this.#mergeOptions()) };
    throw new Error(
      `Cannot report anything as every worker died: ${this.#lost[0]?.reason ?? "unknown"}`,
    );
  }

  #partList(): Part[] {
    return [...this.#parts].map(([index, report]) => ({ index, report }));
  }

  #mergeOptions(): MergeOptions {
    return {
      of: "workers",
      command: this.#command,
      count: this.#options.workers,
      lost: this.#lost,
    };
  }

  #start(index: number): Worker {
    const worker = startWorker(this.#options.module, `worker ${index}`);
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(index, data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(index, event.message);
    };
    this.#workers.set(index, worker);
    return worker;
  }

  #receive(index: number, message: FromWorker): void {
    switch (message.kind) {
      case "progress":
        // They go through the epochs together: one of them says how far.
        return index === Math.min(...this.#workers.keys())
          ? this.#options.onProgress(this.#progress.progressOf(message.progress))
          : undefined;
      case "figures":
        return this.#progress.heard(index, message.figures);
      case "warning":
        return this.#warn(message.message);
      case "ready":
        return this.#barrier.ready(index, message.order);
      case "partial":
        this.#parts.set(index, message.report);
        this.#reported.add(index);
        return this.#reportPartial();
      case "restart":
        return void this.#restartServer(index);
      case "done":
        this.#parts.set(index, message.report);
        return this.#end(index);
      default:
        return message satisfies never;
    }
  }

  /** As soon as every worker has ended the epoch. */
  #reportPartial(): void {
    if ([...this.#workers.keys()].some((index) => !this.#reported.has(index))) return;
    this.#reported.clear();
    const soFar = mergeReports(this.#partList(), this.#mergeOptions());
    this.#writing = this.#options.onPartialReport(soFar);
  }

  async #restartServer(index: number): Promise<void> {
    const error = await this.#options.bundled?.restart().then(() => null, String) ?? null;
    const worker = this.#workers.get(index);
    if (worker !== undefined) this.#post(worker, { kind: "restarted", error });
  }

  /** What all of them warn of is told once. */
  #warn(message: string): void {
    if (this.#announced.has(message)) return;
    this.#announced.add(message);
    this.#options.onWarning(message);
  }

  #lose(index: number, reason: string): void {
    this.#lost.push({ index, reason });
    const partial = this.#parts.get(index);
    // That the report so far is not finished is what its loss says.
    if (partial !== undefined) this.#parts.set(index, withoutInterrupt(partial));
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

  #post(worker: Worker, message: ToWorker): void {
    worker.postMessage(message);
  }

  #postAll(message: ToWorker): void {
    for (const worker of this.#workers.values()) this.#post(worker, message);
  }
}

/** What one worker is told: its share, to be judged with the others'. */
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
  const { verdict } = report;
  return {
    ...report,
    verdict: {
      ...verdict,
      reasons: verdict.reasons.filter(({ code }) => code !== EXIT.interrupted),
    },
  };
}
