import type { SliceClient } from "../load/closed.ts";
import type { PacedRun } from "../load/open.ts";
import { DistributionRecorder } from "../stats/summary.ts";
import type { Case, Slice } from "./case.ts";

/** The result of a case on one side. */
export type CaseResult = Omit<
  CaseRecorder,
  "startEpoch" | "add" | "miss" | "endEpoch" | typeof Symbol.dispose
>;

/** Initial interval of the latency series that open loops record. */
const SERIES_INTERVAL_MS = 250;

/**
 * Collects the slices of a case on one side. Arrays are indexed by epoch; `null`: not completely
 * measured. Dispose of it.
 */
export class CaseRecorder implements Disposable {
  readonly case: Case;
  readonly latency: DistributionRecorder;
  /** This and the next two are of an open loop. */
  readonly serviceTime: DistributionRecorder | null;
  readonly slip: DistributionRecorder | null;
  readonly open: PacedRun[] = [];
  /** Calls per second: the sum of the clients' rates. */
  readonly rates: (number | null)[] = [];
  /** The rate of each slice. */
  readonly within: number[][] = [];
  /** The position of each slice in the sequence of all slices. */
  readonly positions: number[][] = [];
  readonly clientRates: (number[] | null)[] = [];
  /** In nanoseconds. */
  readonly medians: (number | null)[] = [];
  readonly #timeoutNs: number;
  #slices: { clients: readonly SliceClient[]; position: number }[] = [];
  #isWhole = true;
  answered = 0;
  outOfOrder = 0;
  clientCpuNs = 0;
  elapsedNs = 0;

  /** @param options.timeoutNs minimum duration of a call that got no answer */
  constructor(
    one: Case,
    { timeoutNs, mergeable, startNs }: { timeoutNs: number; mergeable: boolean; startNs: number },
  ) {
    this.case = one;
    this.#timeoutNs = timeoutNs;
    const isOpen = one.ratePerSecond !== null;
    const series = isOpen ? { intervalMs: SERIES_INTERVAL_MS, startNs } : undefined;
    this.latency = new DistributionRecorder({ mergeable, series });
    this.serviceTime = isOpen ? new DistributionRecorder({ mergeable }) : null;
    this.slip = isOpen ? new DistributionRecorder({ mergeable }) : null;
  }

  get isMeasured(): boolean {
    return this.latency.count + this.open.length > 0;
  }

  startEpoch(): void {
    this.#slices = [];
    this.#isWhole = true;
    for (const recorder of this.#recorders) recorder.startEpoch();
  }

  /** Adds a slice; `position` is its place in the sequence of all slices. */
  add(slice: Slice, position: number): void {
    const { timesNs, open } = slice;
    this.latency.recordAll(timesNs, open?.endedNs);
    if (slice.censored > 0) this.latency.censor(slice.censored, this.#timeoutNs);
    if (open !== undefined) {
      const { serviceNs, slipNs, endedNs: _, ...rest } = open;
      this.serviceTime!.recordAll(serviceNs);
      this.slip!.recordAll(slipNs);
      this.open.push(rest);
    }
    this.answered += slice.answered;
    this.outOfOrder += slice.outOfOrder;
    this.clientCpuNs += slice.clientCpuNs;
    this.elapsedNs += slice.elapsedNs;
    if (!slice.complete) return this.miss();
    this.#slices.push({ clients: slice.clients.map((client) => ({ ...client })), position });
  }

  /** Records that a slice of this epoch is incomplete or missing, so the epoch has no rate. */
  miss(): void {
    this.#isWhole = false;
  }

  /** Ends the epoch. Its rate is the sum of the clients' rates, each over all its windows. */
  endEpoch(): void {
    const slices = this.#slices;
    const isWhole = this.#isWhole && slices.length > 0;
    const { p50 } = this.latency.endEpoch();
    this.serviceTime?.endEpoch();
    this.slip?.endEpoch();
    this.medians.push(isWhole ? p50 : null);
    const clientRates = isWhole
      ? slices[0]!.clients.map((_, client) => rateOf(slices.map(({ clients }) => clients[client]!)))
      : null;
    this.clientRates.push(clientRates);
    this.rates.push(clientRates === null ? null : sum(clientRates));
    this.within.push(slices.map(({ clients }) => sum(clients.map((client) => rateOf([client])))));
    this.positions.push(slices.map(({ position }) => position));
  }

  [Symbol.dispose](): void {
    for (const recorder of this.#recorders) recorder[Symbol.dispose]();
  }

  get #recorders(): DistributionRecorder[] {
    return [this.latency, this.serviceTime, this.slip].filter((one) => one !== null);
  }
}

/** Successes per second over all windows. */
function rateOf(windows: readonly SliceClient[]): number {
  const windowNs = sum(windows.map((one) => one.windowNs));
  return windowNs > 0 ? sum(windows.map(({ ok }) => ok)) / (windowNs / 1e9) : 0;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
