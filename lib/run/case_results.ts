import type { SliceClient } from "../load/closed.ts";
import type { PacedRun } from "../load/judge_pace.ts";
import { DistributionRecorder } from "../stats/summary.ts";
import type { Case, CaseResult, Slice } from "./scenario.ts";

/** A case that takes a rate keeps its latency over time, in intervals that are this long at first. */
const SERIES_INTERVAL_MS = 250;

/** Collects the slices of one case on one side, epoch by epoch. Dispose of it. */
export class CaseRecorder implements CaseResult, Disposable {
  readonly case: Case;
  readonly latency: DistributionRecorder;
  readonly serviceTime: DistributionRecorder | null;
  readonly slip: DistributionRecorder | null;
  readonly rates: (number | null)[] = [];
  readonly within: number[][] = [];
  /** Where in the sequence of all slices those of `within` were. */
  readonly positions: number[][] = [];
  readonly clientRates: (number[] | null)[] = [];
  readonly medians: (number | null)[] = [];
  readonly open: PacedRun[] = [];
  readonly #timeoutNs: number;
  #slices: { clients: readonly SliceClient[]; position: number }[] = [];
  #isWhole = true;
  answered = 0;
  outOfOrder = 0;
  clientCpuNs = 0;
  elapsedNs = 0;

  /** @param options.timeoutNs a call without an answer took at least this long */
  constructor(
    one: Case,
    options: { timeoutNs: number; mergeable: boolean; startNs: number },
  ) {
    const { mergeable, startNs } = options;
    this.case = one;
    this.#timeoutNs = options.timeoutNs;
    const isOpen = one.ratePerSecond !== null;
    const series = isOpen ? { intervalMs: SERIES_INTERVAL_MS, startNs } : undefined;
    this.latency = new DistributionRecorder({ mergeable, series });
    this.serviceTime = isOpen ? new DistributionRecorder({ mergeable }) : null;
    this.slip = isOpen ? new DistributionRecorder({ mergeable }) : null;
  }

  startEpoch(): void {
    this.#slices = [];
    this.#isWhole = true;
    for (const recorder of this.#recorders) recorder.startEpoch();
  }

  /**
   * Takes a slice's times into the histograms: to be called after the window.
   *
   * @param position its place in the sequence of all slices
   */
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

  /** A slice of this epoch was not measured to its end, or not begun: the epoch has no rate. */
  miss(): void {
    this.#isWhole = false;
  }

  /** Ends the epoch; its rate is that of every client over all its windows, added up. */
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

/** Successes a second over all these windows. */
function rateOf(windows: readonly SliceClient[]): number {
  const windowNs = sum(windows.map((one) => one.windowNs));
  return windowNs > 0 ? sum(windows.map(({ ok }) => ok)) / (windowNs / 1e9) : 0;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
