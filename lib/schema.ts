/**
 * The shape of report.json, as valibot schemas: the TypeScript types, the validation of files read back in and
 * the published JSON Schema (docs/report.schema.json) all come from them. Imports nothing of ours.
 *
 * @module
 */

import * as v from "valibot";

/** The protocols that the suite can speak. */
export const PROTOCOL_NAMES = ["exai", "mcp", "jsonrpc", "echo"] as const;
export type ProtocolName = typeof PROTOCOL_NAMES[number];

/** With what the JSON Schema says of it. */
function noted<Schema extends v.GenericSchema>(schema: Schema, text: string) {
  return v.pipe(schema, v.description(text));
}

/** A count: a whole number from 0. */
const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const CountFrom1 = v.pipe(Count, v.minValue(1));
const Ns = noted(v.number(), "nanoseconds");
const NullableNs = v.nullable(Ns);
const NullableNumber = v.nullable(v.number());
const NullableString = v.nullable(v.string());
const Strings = v.array(v.string());
const OptionalTexts = v.optional(v.record(v.string(), v.string()));
const OptionalNumber = v.optional(v.number());
const OptionalString = v.optional(v.string());
const OptionalFlag = v.optional(v.boolean());

/** `[low, high]` of a nominal 95 % interval, in the unit of the value it belongs to. */
export const IntervalSchema = noted(
  v.strictTuple([v.number(), v.number()]),
  "[low, high] of a nominal 95 % interval",
);
const NullableInterval = v.nullable(IntervalSchema);
export type Interval = v.InferOutput<typeof IntervalSchema>;

const FactValue = v.nullable(v.union([v.number(), v.string(), v.boolean()]));

/** Something found: its kind, the sentence that says it, and the numbers or names that it rests on. */
const FactSchema = v.objectWithRest({ kind: v.string(), message: v.string() }, FactValue);
export type Fact = v.InferOutput<typeof FactSchema>;

/** Every frame that came in after the handshake, by what it turned out to be. */
const FrameCountsSchema = v.object({
  received: Count,
  final: noted(Count, "frames that ended a call"),
  progress: noted(Count, "stream_complete, progress, notifications"),
  late: noted(Count, "final frames of calls that had already timed out"),
  duplicate: noted(Count, "further final frames for a call that has ended"),
  orphan: noted(Count, "an id never sent, or a reply that cannot be attributed"),
  malformed: noted(Count, "not JSON, or nothing that the protocol knows"),
});

/**
 * What became of every call. Three sums always hold:
 * `sent = ok + toolError + rateLimited + timeout + connectionLost + aborted`,
 * `frames.final = ok + toolError + rateLimited`, and
 * `frames.received = final + progress + late + duplicate + orphan + malformed`.
 */
export const LedgerSchema = v.object({
  sent: Count,
  ok: noted(Count, "a success for that very id"),
  cached: noted(Count, "those of ok that the server served from a cache"),
  toolError: noted(Count, "an error for that call"),
  rateLimited: noted(Count, "refused for load"),
  timeout: noted(Count, "no final frame in time"),
  connectionLost: noted(Count, "the socket went with the call outstanding"),
  aborted: noted(Count, "outstanding when the run was interrupted"),
  dropped: noted(Count, "open-loop slots never sent; not part of sent"),
  frames: FrameCountsSchema,
  errorCodes: v.record(v.string(), Count),
  closeCodes: v.record(v.string(), Count),
  closeReasons: noted(OptionalTexts, "the first reason that came with each close code, cut"),
  errorMessages: noted(OptionalTexts, "the server's first message with each error code, cut"),
  firstStrays: noted(
    OptionalTexts,
    "the first duplicate, orphan and malformed frame, cut, and what is wrong with it",
  ),
});
export type Ledger = v.InferOutput<typeof LedgerSchema>;

/** What one epoch of a distribution measured; `null` where the epoch has too few samples. */
const EpochSummarySchema = v.object({
  count: Count,
  censored: noted(Count, "calls without an answer: they took at least the timeout"),
  min: NullableNs,
  mean: NullableNs,
  p5: NullableNs,
  p50: NullableNs,
  p95: NullableNs,
  p99: NullableNs,
  max: NullableNs,
  histogram: noted(
    OptionalString,
    "of a shard: HDR histogram V2, deflated, base64; shards merge exactly by it",
  ),
});
export type EpochSummary = v.InferOutput<typeof EpochSummarySchema>;

/** One interval of a distribution over time. */
const SeriesPointSchema = v.object({
  atMs: v.number(),
  count: Count,
  p50: NullableNs,
  p99: NullableNs,
  max: NullableNs,
  histogram: noted(OptionalString, "of a shard, as in the epochs"),
});
export type SeriesPoint = v.InferOutput<typeof SeriesPointSchema>;

/** Which direction of a metric is an improvement; `null` where neither is. */
const BetterSchema = v.nullable(v.picklist(["higher", "lower"]));
export type Better = v.InferOutput<typeof BetterSchema>;

/** Where a metric was measured: the coordinates of its case, such as `{ clients: 5, inFlight: 1 }`. */
const AtSchema = v.optional(v.record(v.string(), v.union([v.number(), v.string()])));
export type At = Record<string, number | string>;

/** headline: on the first screen; gate: judged in a comparison; detail: neither. */
const RoleSchema = v.picklist(["headline", "gate", "detail"]);
export type Role = v.InferOutput<typeof RoleSchema>;

/** The figures of a metric that a comparison can judge. */
export const STATISTICS = ["value", "p5", "p50", "p95", "p99"] as const;
export type Statistic = typeof STATISTICS[number];

/** The standard deviation of the logarithm: of slices within epochs, and of the epochs' own values. */
const SpreadSchema = v.object({ within: NullableNumber, between: NullableNumber });
export type Spread = v.InferOutput<typeof SpreadSchema>;

/** What one layer of a call adds to the layers below it, paired in each epoch. */
const AddedSchema = v.object({
  above: noted(NullableString, "the layer below; null: there is none"),
  value: noted(
    v.number(),
    "nanoseconds: mean over epochs of the difference of the epochs' medians",
  ),
  ci95: NullableInterval,
  share: noted(
    NullableNumber,
    "of the whole call, 1 for all of it; null where the whole call was not measured",
  ),
  shareCi95: NullableInterval,
  measuredOn: noted(
    v.picklist(["target", "bundled"]),
    "bundled: on parts that the suite brings along, as no server shows that layer",
  ),
});
export type Added = v.InferOutput<typeof AddedSchema>;

const metricEntries = {
  name: v.string(),
  role: RoleSchema,
  gates: noted(
    v.optional(v.array(v.picklist(STATISTICS))),
    "the statistics that a comparison judges; left out: none",
  ),
  at: AtSchema,
  better: BetterSchema,
};

/**
 * Times in nanoseconds. A percentile is the geometric mean of the epochs' own, or where an epoch has too few
 * samples that of all samples together; one that rests on too few samples is null. `censored` calls had no
 * answer: where they are more than 1 - q of all, percentile q is the timeout, and means "at least".
 */
export const DistributionSchema = v.object({
  ...metricEntries,
  kind: v.literal("distribution"),
  unit: v.literal("ns"),
  count: CountFrom1,
  censored: Count,
  min: Ns,
  mean: Ns,
  stddev: Ns,
  p5: NullableNs,
  p50: Ns,
  p75: NullableNs,
  p90: NullableNs,
  p95: NullableNs,
  p99: NullableNs,
  p999: NullableNs,
  max: Ns,
  histogram: noted(v.string(), "HDR histogram V2, deflated, base64"),
  ci95: v.object({
    p5: NullableInterval,
    p50: NullableInterval,
    p95: NullableInterval,
    p99: NullableInterval,
    mean: NullableInterval,
  }),
  spread: SpreadSchema,
  series: v.array(SeriesPointSchema),
  epochs: v.array(EpochSummarySchema),
  added: v.optional(AddedSchema),
});
export type Distribution = v.InferOutput<typeof DistributionSchema>;

/** One number an epoch; `value` is their geometric mean (of values that can be 0 or less: their mean). */
export const ScalarSchema = v.object({
  ...metricEntries,
  kind: v.literal("scalar"),
  unit: v.string(),
  value: v.number(),
  ci95: NullableInterval,
  spread: SpreadSchema,
  epochs: v.array(v.number()),
  merge: noted(
    v.optional(v.picklist(["sum", "max", "p50", "p99", "count"])),
    "of a shard: how shards merge; sum, max: epoch by epoch; p50, p99, count: the change of that over the " +
      "merged series of the latency",
  ),
});
export type Scalar = v.InferOutput<typeof ScalarSchema>;

export const MetricSchema = v.variant("kind", [DistributionSchema, ScalarSchema]);
export type Metric = v.InferOutput<typeof MetricSchema>;

/**
 * A statement that the run tested: what had to be seen, and what was. Where it is a count, `seen` of `wanted`, and
 * shards and epochs add up.
 */
const CheckSchema = v.object({
  kind: v.string(),
  name: v.string(),
  passed: v.boolean(),
  expected: v.string(),
  observed: v.string(),
  seen: v.optional(Count),
  wanted: v.optional(Count),
});
export type Check = v.InferOutput<typeof CheckSchema>;

/** Something that this run did not look at, and why. Never a pass, never a failure. */
const NotMeasuredSchema = v.object({ name: v.string(), reason: v.string() });
export type NotMeasured = v.InferOutput<typeof NotMeasuredSchema>;

/** Was the client the bottleneck? */
const ValiditySchema = v.object({
  valid: v.boolean(),
  client: noted(
    v.nullable(v.picklist(["free", "bound", "undecided"])),
    "bound: the headline is at the client's floor; free: well below it; null: there is no floor to tell by",
  ),
  clientShare: noted(
    NullableNumber,
    "the headline's rate over that of the same case on a server that does nothing",
  ),
  clientShareCi95: NullableInterval,
  floor: noted(
    v.optional(v.object({ throughput: v.number(), latencyP50Ns: NullableNs })),
    "that case on the server that does nothing: calls per second, median in ns",
  ),
  clientCpu: noted(
    NullableNumber,
    "share of one core that the client thread used, 0 to 1; null: not applicable",
  ),
  loopLagP99Ns: NullableNs,
  warnings: v.array(FactSchema),
});
export type Validity = v.InferOutput<typeof ValiditySchema>;

/** When the measured epochs of a scenario began and ended, by the machine's own clock. */
const MeasuredSchema = v.object({
  plannedStartMs: noted(
    NullableNumber,
    "when the first epoch was to begin, in unix milliseconds; null: when it could",
  ),
  epochs: noted(
    v.array(v.object({ startMs: v.number(), endMs: v.number() })),
    "in unix milliseconds; the end is that of the last reply",
  ),
});
export type Measured = v.InferOutput<typeof MeasuredSchema>;

const StatusSchema = v.picklist(["passed", "failed", "skipped", "interrupted"]);
export const ScenarioReportSchema = v.object({
  name: v.string(),
  title: v.string(),
  question: v.string(),
  answer: noted(OptionalString, "the scenario's own answer to its question, in a sentence"),
  status: StatusSchema,
  reason: noted(NullableString, "why it was skipped, or what ended it early"),
  startedAt: v.string(),
  durationMs: v.number(),
  parameters: v.record(v.string(), v.union([v.number(), v.string(), v.boolean(), v.null()])),
  overloads: noted(
    OptionalFlag,
    "true: it drives the server too far on purpose: failed calls are findings",
  ),
  checks: v.array(CheckSchema),
  notMeasured: v.array(NotMeasuredSchema),
  warmupLedger: LedgerSchema,
  ledger: LedgerSchema,
  metrics: v.array(MetricSchema),
  validity: ValiditySchema,
  notes: noted(
    v.optional(v.array(FactSchema)),
    "what is remarkable, and does not make the numbers invalid",
  ),
  measured: v.optional(MeasuredSchema),
  share: noted(
    v.optional(v.object({ connections: Count, of: Count })),
    "of a shard: how many of the scenario's connections are its own",
  ),
});
export type ScenarioReport = v.InferOutput<typeof ScenarioReportSchema>;

/** What speaks against a run: see {@linkcode Fact}. */
const ReasonSchema = v.objectWithRest(
  {
    code: noted(Count, "the exit code that this reason calls for"),
    kind: v.string(),
    scenario: NullableString,
    message: v.string(),
  },
  FactValue,
);
export type Reason = v.InferOutput<typeof ReasonSchema>;

/** Where a server's rate limiter began to refuse calls, told once for the run. */
const RateLimitSchema = v.object({
  scenario: noted(
    NullableString,
    "null: it was looked for before the first, and none of their calls was refused",
  ),
  atCall: noted(Count, "the Nth call of its session, warm-up included"),
  message: noted(v.string(), "the server's own words"),
  owner: v.optional(v.picklist(["session", "ip"])),
  burst: v.optional(noted(Count, "calls at once")),
  refillPerSecond: v.optional(noted(v.number(), "calls a second after those")),
  addressRefillPerSecond: v.optional(
    noted(v.number(), "the same of all sessions of one address"),
  ),
  keptToPerSecond: v.optional(noted(v.number(), "calls a second of each session")),
  advisedPerSecond: v.optional(
    noted(v.number(), "calls a second of each session at which none is refused"),
  ),
  sessions: v.optional(noted(Count, "those that share an address at most")),
});
export type RateLimit = v.InferOutput<typeof RateLimitSchema>;

/** One frame of a call as it went over the wire, and what the ledger makes of such a frame. */
const WireFrameSchema = v.object({
  direction: v.picklist(["sent", "received"]),
  text: noted(v.string(), "cut, without secrets"),
  countedAs: v.string(),
});
export type WireFrame = v.InferOutput<typeof WireFrameSchema>;

/** One tool call without a socket: what "unit test" means in the comparison. */
const UnitBaselineSchema = v.object({
  source: noted(
    v.picklist(["measured", "given"]),
    "measured: the reference server's dispatch, in-process; given: --unit-baseline",
  ),
  throughput: noted(v.number(), "calls per second"),
  ci95: NullableInterval,
  epochs: noted(v.array(v.number()), "calls per second, of each epoch"),
});

/** What became of a fixed bound of the user's. */
const ThresholdResultSchema = v.object({
  expression: v.string(),
  observed: noted(NullableNumber, "in unit; null where it was not measured, which is never a pass"),
  unit: v.string(),
  passed: v.boolean(),
  reason: noted(NullableString, "why nothing was observed"),
});
export type ThresholdResult = v.InferOutput<typeof ThresholdResultSchema>;

/** What is known of one row of a comparison. */
export const CHANGES = ["faster", "slower", "same", "undecided"] as const;
const ChangeSchema = v.picklist(CHANGES);
export type Change = v.InferOutput<typeof ChangeSchema>;

/** One statistic of one metric, in an earlier run (or several) and in this one. */
const ComparisonRowSchema = v.object({
  scenario: v.string(),
  metric: v.string(),
  at: AtSchema,
  statistic: v.picklist(STATISTICS),
  unit: v.string(),
  better: v.picklist(["higher", "lower"]),
  old: noted(NullableNumber, "in unit; null: not measured"),
  new: NullableNumber,
  ratio: noted(NullableNumber, "new over old"),
  ci: noted(
    NullableInterval,
    "of the ratio, at 1 - 0.05/m for m gating rows; null: the noise is not known",
  ),
  gating: noted(v.boolean(), "does the row decide?"),
  verdict: ChangeSchema,
  why: noted(NullableString, "why it is undecided: a kind"),
  need: noted(
    v.nullable(Count),
    "epochs (of one run) or runs that would decide an undecided row; null: not known",
  ),
  smallest: noted(
    NullableNumber,
    "the smallest change that would have been seen, as a ratio over 1",
  ),
  p: noted(OptionalNumber, "of paired servers: exact sign-flip test over the epochs, two-sided"),
  epochs: noted(v.optional(v.array(v.number())), "of paired servers: the ratio of each epoch"),
  own: noted(
    v.optional(v.object({ ratio: v.number(), ci: NullableInterval })),
    "of paired servers: the ratio of the times less the client's floor",
  ),
});
export type ComparisonRow = v.InferOutput<typeof ComparisonRowSchema>;

/** A kind of failed call of which the new run has more, than chance explains. */
const NewErrorsSchema = v.object({
  scenario: v.string(),
  kind: v.string(),
  old: Count,
  new: Count,
  p: noted(v.number(), "conditional binomial, one-sided"),
});
export type NewErrors = v.InferOutput<typeof NewErrorsSchema>;

/** The two servers of one run; the report's other figures are B's. */
const AbSchema = v.object({
  a: v.object({ url: v.string() }),
  b: v.object({ url: v.string() }),
  restarted: noted(v.boolean(), "were both restarted in every epoch?"),
  orderEffects: noted(
    v.array(v.object({ scenario: v.string(), ratio: v.number(), p: v.number() })),
    "where it mattered which of the two was measured first",
  ),
});
export type Ab = v.InferOutput<typeof AbSchema>;

const ComparisonSchema = v.object({
  noise: noted(
    v.picklist(["learned", "stated", "unknown", "paired"]),
    "where the noise between runs is known from; unknown: nothing gates; paired: both servers were measured in the same epochs",
  ),
  noisePercent: noted(NullableNumber, "where it is stated"),
  bandPercent: noted(v.number(), "changes within this many per cent do not matter"),
  baselines: noted(Count, "how many earlier runs"),
  automatic: noted(
    OptionalFlag,
    "with earlier runs in the history, unasked: it is shown and decides nothing",
  ),
  differences: noted(
    Strings,
    "what makes the runs incomparable; empty unless the comparison was forced",
  ),
  rows: v.array(ComparisonRowSchema),
  newErrors: v.array(NewErrorsSchema),
  onlyInOld: Strings,
  onlyInNew: Strings,
  regressions: noted(Strings, "a sentence for each"),
});
export type Comparison = v.InferOutput<typeof ComparisonSchema>;

/** A share of a run: the `index`th of `count`, from 1. */
const ShardPlaceSchema = v.object({ index: CountFrom1, count: CountFrom1 });
export type ShardPlace = v.InferOutput<typeof ShardPlaceSchema>;

/** How far a machine's clock is from the server's: by what the server wrote of its own. */
const ClockOffsetSchema = v.object({
  offsetMs: noted(v.number(), "the server's clock less this machine's"),
  errorMs: noted(v.number(), "the offset is right within this: half a round trip"),
});
export type ClockOffset = v.InferOutput<typeof ClockOffsetSchema>;

/** Which share of a run a report is of. */
const ShardSchema = v.object({
  ...ShardPlaceSchema.entries,
  startAtMs: noted(NullableNumber, "when all shards were to begin, in unix milliseconds"),
  startOffsetMs: noted(NullableNumber, "how much later than planned it began, by its own clock"),
  late: noted(v.boolean(), "whether it began over 50 ms after the time planned"),
  clock: noted(v.nullable(ClockOffsetSchema), "null: the server does not tell its time"),
});
export type Shard = v.InferOutput<typeof ShardSchema>;

/** What one shard did in one scenario of a merged report. */
const ShardScenarioSchema = v.object({
  name: v.string(),
  status: StatusSchema,
  sent: Count,
  ok: Count,
  ratePerSecond: noted(NullableNumber, "the mean of its epochs"),
  p99: noted(NullableNs, "of its main distribution"),
  valid: v.boolean(),
  startOffsetMs: noted(
    NullableNumber,
    "its first epoch's start less the planned one, or the earliest shard's",
  ),
});
export type ShardScenario = v.InferOutput<typeof ShardScenarioSchema>;

/** One shard or worker of a merged report. */
const MergedShardSchema = v.object({
  index: CountFrom1,
  lost: noted(NullableString, "what it died of; null: it has reported"),
  machine: v.string(),
  late: v.boolean(),
  clock: v.nullable(ClockOffsetSchema),
  scenarios: v.array(ShardScenarioSchema),
});
export type MergedShard = v.InferOutput<typeof MergedShardSchema>;

/** A server that slows down as it is called. */
const RunDriftSchema = v.object({
  ratio: noted(v.number(), "how many times longer calls took at the end"),
  p: noted(v.number(), "Mann-Kendall test over the epochs, one-sided"),
  firstPerSecond: noted(OptionalNumber, "calls served at first"),
  lastPerSecond: noted(OptionalNumber, "calls served at the end"),
});
export type RunDrift = v.InferOutput<typeof RunDriftSchema>;

export const ReportSchema = v.object({
  schemaVersion: v.literal(2),
  suite: v.object({ name: v.string(), version: v.string(), commit: NullableString }),
  startedAt: v.string(),
  finishedAt: v.string(),
  seed: v.number(),
  command: Strings,
  environment: v.object({
    os: v.string(),
    arch: v.string(),
    cpuModel: v.string(),
    cpuCount: v.number(),
    memoryBytes: v.number(),
    deno: v.string(),
    v8: v.string(),
    mitata: v.string(),
    cpuPressure: noted(
      NullableNumber,
      "share of the run's time, 0 to 1, in which something waited for a core; null: not known",
    ),
    uniqueSeed: noted(v.optional(Count), "what {unique} in arguments was made from"),
  }),
  target: v.object({
    url: v.string(),
    kind: v.picklist(["embedded", "external"]),
    protocol: v.picklist(PROTOCOL_NAMES),
    tool: v.string(),
    noDelay: noted(v.boolean(), "whether calls went through a relay without Nagle's algorithm"),
    proxy: noted(
      OptionalString,
      "the proxy that connections went through, and the variable that names it",
    ),
    insecure: noted(OptionalFlag, "whether the server's certificate was not looked at"),
    uniqueArguments: noted(
      OptionalString,
      "the arguments that the suite gave every call by itself, as the server serves repeated calls from a cache",
    ),
  }),
  profile: v.string(),
  epochs: noted(Count, "measured, after the warm-up epoch"),
  verdict: v.object({
    status: v.picklist(["passed", "failed", "interrupted"]),
    exitCode: Count,
    reasons: v.array(ReasonSchema),
  }),
  preflight: v.array(CheckSchema),
  rateLimit: v.nullable(RateLimitSchema),
  drift: noted(
    v.optional(RunDriftSchema),
    "calls took longer and longer over the epochs, in all scenarios together",
  ),
  unitBaseline: v.nullable(UnitBaselineSchema),
  transcript: noted(
    v.optional(v.array(WireFrameSchema)),
    "the frames of one call, made in the preflight",
  ),
  thresholds: v.optional(v.array(ThresholdResultSchema)),
  comparison: noted(v.optional(ComparisonSchema), "against the reports given as --baseline"),
  ab: v.optional(AbSchema),
  shard: noted(v.optional(ShardSchema), "which share of a run this is"),
  merged: noted(
    v.optional(
      v.object({ of: v.picklist(["shards", "workers"]), parts: v.array(MergedShardSchema) }),
    ),
    "what the report was merged from",
  ),
  scenarios: v.array(ScenarioReportSchema),
});
export type Report = v.InferOutput<typeof ReportSchema>;
