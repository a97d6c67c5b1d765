import { createSchedule } from "../load/schedule.ts";
import { CallBook } from "../client/call_book.ts";
import { openLedger } from "../client/ledger.ts";
import { exai } from "../protocols/exai.ts";
import { systemClock } from "../client/clock.ts";
import { OCT } from "../server/dialect_oct.ts";
import { outputsJson, streamCompleteFrame } from "../server/frames.ts";
import type { BatchedSample } from "../stats/sampling.ts";

/** One step of a call. */
interface Part {
  name: string;
  /** How often a closed-loop call with a reply of two frames takes the step. */
  timesACall: number;
  /** Does one step; the result depends on the work, so that it is not optimised away. */
  run: () => unknown;
}

/** The cost of a step: the median over the means of batches. */
export interface PartCost extends Pick<Part, "name" | "timesACall"> {
  medianNs: number;
}

/** Samples nanosecond work: {@linkcode sampleBatched}, or a quicker one in tests. */
export type Sampler = (fn: () => unknown) => Promise<Pick<BatchedSample, "p50">>;

/** Number of texts to cycle through, so that no step sees the same one each time. */
const VARIANTS = 64;

/** Measures every step in turn. */
export function measureParts(sample: Sampler): Promise<PartCost[]> {
  return Array.fromAsync(
    [...messageParts(), ...accountParts()],
    async ({ run, ...part }) => ({ ...part, medianNs: (await sample(run)).p50 }),
  );
}

/** Encoding and parsing, on frames of the reference server's tool `status`. */
function messageParts(): Part[] {
  const ids = Array.from({ length: VARIANTS }, (_, index) => `calibrate-1-${1_000 + index}`);
  const times = { totalMs: 0.031, queuedMs: 0.004, processingMs: 0.018 };
  const outputs = outputsJson(STATUS_TEXT, times);
  const results = ids.map((id) => OCT.success(JSON.stringify(id), outputs));
  const completes = ids.map((id) => streamCompleteFrame(JSON.stringify(id)));
  let turn = 0;
  const next = (texts: readonly string[]) => texts[turn++ % VARIANTS]!;
  return [
    {
      name: "encode a call",
      timesACall: 1,
      // Reading a character forces V8 to flatten the concatenated string.
      run: () => exai.encodeCall(next(ids), "status", "{}").charCodeAt(20),
    },
    {
      name: "recognise a stream_complete",
      timesACall: 1,
      run: () => exai.classify(next(completes)),
    },
    { name: "recognise a result", timesACall: 1, run: () => exai.classify(next(results)) },
  ];
}

/** As long as the reference server's answer. */
const STATUS_TEXT = JSON.stringify({ status: "healthy", uptime_seconds: 12.5, version: "1.0.0" });

/** Accounting and scheduling. */
function accountParts(): Part[] {
  const book = new CallBook("calibrate-1-", {
    ledger: openLedger(),
    observed: { streamComplete: false, rateLimit: null },
  });
  const ignore = () => {};
  const slots = createSchedule({
    ...{ ratePerSecond: 5_000, arrivals: "poisson", seed: 1 },
    ...{ slots: Number.MAX_SAFE_INTEGER, durationMs: null },
  });
  return [
    {
      name: "account for a call and its two frames",
      timesACall: 1,
      run() {
        const call = book.begin(0, ignore);
        book.receive({ kind: "progress", id: call.id, streamComplete: true }, 1);
        book.receive({ kind: "result", id: call.id, fromCache: false }, 1);
        return call.status;
      },
    },
    { name: "read the clock", timesACall: 2, run: () => systemClock.nowNs() },
    { name: "schedule a slot (open loops)", timesACall: 0, run: () => slots.next() },
  ];
}
