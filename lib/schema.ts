/**
 * The schema of report.json. Its types, its validation and the published docs/report.schema.json
 * derive from it. Imports nothing else of the project.
 *
 * @module
 */

import * as v from "valibot";

/** Supported protocols. */
export const PROTOCOL_NAMES = ["exai", "mcp", "jsonrpc", "echo"] as const;
export type ProtocolName = typeof PROTOCOL_NAMES[number];

/** Adds a description for the JSON Schema. */
function noted<Schema extends v.GenericSchema>(schema: Schema, text: string) {
  return v.pipe(schema, v.description(text));
}

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const CountFrom1 = v.pipe(Count, v.minValue(1));
const Ns = noted(v.number(), "nanoseconds");
const NullableNs = v.nullable(Ns);
const NullableNumber = v.nullable(v.number());
const NullableString = v.nullable(v.string());
const Strings = v.array(v.string());
const OptionalTexts = v.optional(v.record(v.string(), v.string()));
const OptionalCount = v.optional(Count);
const OptionalNumber = v.optional(v.number());
const OptionalString = v.optional(v.string());
const OptionalFlag = v.optional(v.boolean());

/** In the unit of the value that it belongs to. */
export const IntervalSchema = noted(
  v.strictTuple([v.number(), v.number()]),
  "[low, high] of a nominal 95 % interval",
);
const NullableInterval = v.nullable(IntervalSchema);
export type Interval = v.InferOutput<typeof IntervalSchema>;

const FactValue = v.nullable(v.union([v.number(), v.string(), v.boolean()]));

/** A finding: its kind, a sentence for the user, and the values that the sentence is made of. */
const FactSchema = v.objectWithRest({ kind: v.string(), message: v.string() }, FactValue);
export type Fact = v.InferOutput<typeof FactSchema>;

/** Frames received after the handshake, by classification. */
const FrameCountsSchema = v.object({
  received: Count,
  final: noted(Count, "frames that ended a call"),
  progress: noted(Count, "stream_complete, progress, notifications"),
  late: noted(Count, "final frames of calls that had already timed out"),
  duplicate: noted(Count, "another final frame for a call that has ended"),
  orphan: noted(Count, "an unknown id, or a reply that cannot be attributed to a call"),
  malformed: noted(Count, "not JSON, or not a frame of the protocol"),
});

/**
 * The outcome of every call. Three sums always hold:
 * `sent = ok + toolError + rateLimited + timeout + connectionLost + aborted`,
 * `frames.final = ok + toolError + rateLimited`, and
 * `frames.received = final + progress + late + duplicate + orphan + malformed`.
 */
export const LedgerSchema = v.object({
  sent: Count,
  ok: noted(Count, "a success with the id of the call"),
  cached: noted(Count, "successes that the server served from a cache; part of ok"),
  toolError: noted(Count, "an error with the id of the call"),
  rateLimited: noted(Count, "refused because of load"),
  timeout: noted(Count, "no final frame in time"),
  connectionLost: noted(Count, "the connection ended with the call outstanding"),
  aborted: noted(Count, "outstanding when the run was interrupted"),
  dropped: noted(Count, "open-loop slots never sent; not part of sent"),
  frames: FrameCountsSchema,
  errorCodes: v.record(v.string(), Count),
  closeCodes: v.record(v.string(), Count),
  closeReasons: noted(OptionalTexts, "the first reason received with each close code, truncated"),
  errorMessages: noted(OptionalTexts, "the server's first message with each error code, truncated"),
  firstStrays: noted(
    OptionalTexts,
    "the first duplicate, orphan and malformed frame, truncated, and what is wrong with it",
  ),
});
export type Ledger = v.InferOutput<typeof LedgerSchema>;

/** One epoch of a distribution; `null`: the epoch has too few samples. */
const EpochSummarySchema = v.object({
  count: Count,
  censored: noted(Count, "calls without a reply: they took at least the timeout"),
  ...v.entriesFromList(["min", "mean", "p5", "p50", "p95", "p99", "max"], NullableNs),
  histogram: noted(OptionalString, "of a shard, for merging: HDR histogram V2, deflated, base64"),
});
export type EpochSummary = v.InferOutput<typeof EpochSummarySchema>;

/** One interval of a distribution over time. */
const SeriesPointSchema = v.object({
  atMs: v.number(),
  count: Count,
  ...v.entriesFromList(["p50", "p99", "max"], NullableNs),
  histogram: noted(OptionalString, "in a shard's report, as in the epochs"),
});
export type SeriesPoint = v.InferOutput<typeof SeriesPointSchema>;

/** The direction that is an improvement; `null`: neither. */
const BetterSchema = v.nullable(v.picklist(["higher", "lower"]));
export type Better = v.InferOutput<typeof BetterSchema>;

/** The parameters of the case that was measured, such as `{ clients: 5, inFlight: 1 }`. */
const AtSchema = v.optional(v.record(v.string(), v.union([v.number(), v.string()])));
export type At = Record<string, number | string>;

/** headline: shown on the first screen; gate: judged in a comparison; detail: neither. */
const RoleSchema = v.picklist(["headline", "gate", "detail"]);
export type Role = v.InferOutput<typeof RoleSchema>;

/** The statistics of a metric that a comparison can judge. */
export const STATISTICS = ["value", "p5", "p50", "p95", "p99"] as const;
export type Statistic = typeof STATISTICS[number];

/** Standard deviation of the logarithm, of slices within epochs and of the epochs' values. */
const SpreadSchema = v.object({ within: NullableNumber, between: NullableNumber });
export type Spread = v.InferOutput<typeof SpreadSchema>;

/** What a layer of a call adds to the layers that it contains, paired by epoch. */
const AddedSchema = v.object({
  above: noted(
    NullableString,
    "the layer that it contains, besides in-process work; null: none",
  ),
  value: noted(v.number(), "nanoseconds: its share of the call; without one the mean difference"),
  ci95: NullableInterval,
  share: noted(
    NullableNumber,
    "of the whole call, mean over the epochs; null: it was not measured",
  ),
  shareCi95: NullableInterval,
  measuredOn: noted(
    v.picklist(["target", "bundled"]),
    "bundled: on a component of the suite, as the layer cannot be observed on a server",
  ),
});
export type Added = v.InferOutput<typeof AddedSchema>;

const metricEntries = {
  name: v.string(),
  role: RoleSchema,
  gates: noted(
    v.optional(v.array(v.picklist(STATISTICS))),
    "the statistics that a comparison judges; absent: none",
  ),
  at: AtSchema,
  better: BetterSchema,
};

/**
 * Times in nanoseconds. A percentile is the geometric mean of the epochs' percentiles, or the
 * percentile of all samples if an epoch has too few of them; `null`: too few samples altogether.
 * `censored` calls had no reply: if they are more than 1 - q of all, percentile q is the timeout,
 * and means "at least".
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
  ...v.entriesFromList(["p75", "p90", "p95", "p99", "p999"], NullableNs),
  max: Ns,
  histogram: noted(v.string(), "HDR histogram V2, deflated, base64"),
  ci95: v.object(v.entriesFromList(["p5", "p50", "p95", "p99", "mean"], NullableInterval)),
  spread: SpreadSchema,
  series: v.array(SeriesPointSchema),
  epochs: v.array(EpochSummarySchema),
  added: v.optional(AddedSchema),
});
export type Distribution = v.InferOutput<typeof DistributionSchema>;

/** One number per epoch. `value` is their geometric mean; if any can be 0 or less, their mean. */
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
    "in a shard's report: how shards merge; sum, max: by epoch; p50, p99, count: the change of " +
      "this statistic over the merged series of the latency",
  ),
});
export type Scalar = v.InferOutput<typeof ScalarSchema>;

export const MetricSchema = v.variant("kind", [DistributionSchema, ScalarSchema]);
export type Metric = v.InferOutput<typeof MetricSchema>;

/** A tested statement. Counts are `seen` of `wanted`, added up over epochs and shards. */
const CheckSchema = v.object({
  kind: v.string(),
  name: v.string(),
  passed: v.boolean(),
  expected: v.string(),
  observed: v.string(),
  seen: OptionalCount,
  wanted: OptionalCount,
});
export type Check = v.InferOutput<typeof CheckSchema>;

/** Something that was not tested, and why: neither a pass nor a failure. */
const NotMeasuredSchema = v.object({ name: v.string(), reason: v.string() });
export type NotMeasured = v.InferOutput<typeof NotMeasuredSchema>;

/** Was the client the bottleneck? */
const ValiditySchema = v.object({
  valid: v.boolean(),
  client: noted(
    v.nullable(v.picklist(["free", "bound", "undecided"])),
    "bound: the headline is at the client's floor; free: well below it; null: no floor to compare",
  ),
  clientShare: noted(NullableNumber, "the headline's rate over that of the client's floor"),
  clientShareCi95: NullableInterval,
  floor: noted(
    v.optional(v.object({ throughput: v.number(), latencyP50Ns: NullableNs })),
    "the same case on a server that does nothing: calls per second, median in ns",
  ),
  clientCpu: noted(
    NullableNumber,
    "share of a core used by the client's thread, 0 to 1; null: too short",
  ),
  loopLagP99Ns: NullableNs,
  warnings: v.array(FactSchema),
});
export type Validity = v.InferOutput<typeof ValiditySchema>;

/** When the measured epochs of a scenario began and ended, by the clock of the machine. */
const MeasuredSchema = v.object({
  plannedStartMs: noted(
    NullableNumber,
    "planned start of the first epoch, unix ms; null: not planned",
  ),
  epochs: noted(
    v.array(v.object({ startMs: v.number(), endMs: v.number() })),
    "in unix milliseconds; an epoch ends with its last reply",
  ),
});
export type Measured = v.InferOutput<typeof MeasuredSchema>;

const StatusSchema = v.picklist(["passed", "failed", "skipped", "interrupted"]);
export const ScenarioReportSchema = v.object({
  name: v.string(),
  title: v.string(),
  question: v.string(),
  answer: noted(OptionalString, "the scenario's answer to its question, in one sentence"),
  status: StatusSchema,
  reason: noted(NullableString, "why it was skipped, or what ended it early"),
  startedAt: v.string(),
  durationMs: v.number(),
  parameters: v.record(v.string(), v.union([v.number(), v.string(), v.boolean(), v.null()])),
  overloads: noted(OptionalFlag, "true: overload is intended, so failed calls are findings"),
  checks: v.array(CheckSchema),
  notMeasured: v.array(NotMeasuredSchema),
  warmupLedger: LedgerSchema,
  ledger: LedgerSchema,
  metrics: v.array(MetricSchema),
  validity: ValiditySchema,
  notes: noted(v.optional(v.array(FactSchema)), "findings that do not make the numbers invalid"),
  measured: v.optional(MeasuredSchema),
  share: noted(
    v.optional(v.object({ connections: Count, of: Count })),
    "in a shard's report: how many of the scenario's connections it opened",
  ),
});
export type ScenarioReport = v.InferOutput<typeof ScenarioReportSchema>;

/** A reason against the run. The other fields are as in {@linkcode Fact}. */
const ReasonSchema = v.objectWithRest(
  {
    code: noted(Count, "the exit code for this reason"),
    kind: v.string(),
    scenario: NullableString,
    message: v.string(),
  },
  FactValue,
);
export type Reason = v.InferOutput<typeof ReasonSchema>;

/** Where the server's rate limiter first refused a call in the run. */
const RateLimitSchema = v.object({
  scenario: noted(NullableString, "null: found by the probe, and no scenario was refused a call"),
  atCall: noted(Count, "number of the call in its session, warm-up included"),
  message: noted(v.string(), "the server's message"),
  owner: v.optional(v.picklist(["session", "ip"])),
  burst: noted(OptionalCount, "calls accepted before the refill rate applies"),
  refillPerSecond: noted(OptionalNumber, "calls per second after the burst"),
  addressRefillPerSecond: noted(OptionalNumber, "calls per second, all sessions of an address"),
  keptToPerSecond: noted(OptionalNumber, "calls per second that each session kept to"),
  advisedPerSecond: noted(OptionalNumber, "calls per second and session at which none is refused"),
  sessions: noted(OptionalCount, "maximum sessions that share an address"),
});
export type RateLimit = v.InferOutput<typeof RateLimitSchema>;

/** A frame as it went over the wire, and how the ledger counts it. */
const WireFrameSchema = v.object({
  direction: v.picklist(["sent", "received"]),
  text: noted(v.string(), "truncated, without secrets"),
  countedAs: v.string(),
});
export type WireFrame = v.InferOutput<typeof WireFrameSchema>;

/** Result of a `--threshold`. */
const ThresholdResultSchema = v.object({
  expression: v.string(),
  observed: noted(NullableNumber, "in unit; null: not measured, which is never a pass"),
  unit: v.string(),
  passed: v.boolean(),
  reason: noted(NullableString, "why nothing was observed"),
});
export type ThresholdResult = v.InferOutput<typeof ThresholdResultSchema>;

/** Verdicts on a row of a comparison. */
export const CHANGES = ["faster", "slower", "same", "undecided"] as const;
const ChangeSchema = v.picklist(CHANGES);
export type Change = v.InferOutput<typeof ChangeSchema>;

/** A statistic of a metric, in earlier runs and in this one. */
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
  ci: noted(NullableInterval, "of the ratio, at 1 - 0.05/m for m gating rows; null: unknown noise"),
  gating: noted(v.boolean(), "true: the row counts towards the verdict"),
  verdict: ChangeSchema,
  why: noted(NullableString, "why it is undecided: a kind"),
  need: noted(v.nullable(Count), "epochs or runs that would decide the row; null: unknown"),
  smallest: noted(NullableNumber, "the smallest detectable change, as a ratio over 1"),
  p: noted(OptionalNumber, "of paired servers: exact sign-flip test over the epochs, two-sided"),
  epochs: noted(v.optional(v.array(v.number())), "of paired servers: the ratio of each epoch"),
  own: noted(
    v.optional(v.object({ ratio: v.number(), ci: NullableInterval })),
    "of paired servers: the ratio of the times after subtracting the client's floor",
  ),
});
export type ComparisonRow = v.InferOutput<typeof ComparisonRowSchema>;

/** A kind of error that the new run has more of than chance explains. */
const NewErrorsSchema = v.object({
  scenario: v.string(),
  kind: v.string(),
  old: Count,
  new: Count,
  p: noted(v.number(), "conditional binomial, one-sided"),
});
export type NewErrors = v.InferOutput<typeof NewErrorsSchema>;

/** The two servers of a run; all other figures in the report are B's. */
const AbSchema = v.object({
  a: v.object({ url: v.string() }),
  b: v.object({ url: v.string() }),
  restarted: noted(v.boolean(), "true: both were restarted in every epoch"),
  orderEffects: noted(
    v.array(v.object({ scenario: v.string(), ratio: v.number(), p: v.number() })),
    "scenarios in which it mattered which server was measured first",
  ),
});
export type Ab = v.InferOutput<typeof AbSchema>;

const ComparisonSchema = v.object({
  noise: noted(
    v.picklist(["learned", "stated", "unknown", "paired"]),
    "source of the noise between runs; unknown: nothing gates; paired: both servers were " +
      "measured in the same epochs",
  ),
  noisePercent: noted(NullableNumber, "if it was stated"),
  bandPercent: noted(v.number(), "changes within this many percent do not matter"),
  baselines: noted(Count, "number of earlier runs"),
  automatic: noted(OptionalFlag, "true: with the history, not requested, not part of the verdict"),
  differences: noted(Strings, "why the runs are not comparable; empty unless --force was given"),
  rows: v.array(ComparisonRowSchema),
  newErrors: v.array(NewErrorsSchema),
  onlyInOld: Strings,
  onlyInNew: Strings,
  regressions: noted(Strings, "one sentence each"),
});
export type Comparison = v.InferOutput<typeof ComparisonSchema>;

/** Shard `index` of `count`, from 1. */
const ShardPlaceSchema = v.object({ index: CountFrom1, count: CountFrom1 });
export type ShardPlace = v.InferOutput<typeof ShardPlaceSchema>;

/** The difference between the clocks of the server and this machine, from a server timestamp. */
const ClockOffsetSchema = v.object({
  offsetMs: noted(v.number(), "the server's clock minus this machine's"),
  errorMs: noted(v.number(), "maximum error of the offset: half a round trip"),
});
export type ClockOffset = v.InferOutput<typeof ClockOffsetSchema>;

/** The shard that a report is of. */
const ShardSchema = v.object({
  ...ShardPlaceSchema.entries,
  startAtMs: noted(NullableNumber, "planned start of all shards, in unix milliseconds"),
  startOffsetMs: noted(NullableNumber, "how much later than planned it began, by its own clock"),
  late: noted(v.boolean(), "true: it began over 50 ms after the planned time"),
  clock: noted(v.nullable(ClockOffsetSchema), "null: the server does not report its time"),
});
export type Shard = v.InferOutput<typeof ShardSchema>;

/** One shard's part of a scenario. */
const ShardScenarioSchema = v.object({
  name: v.string(),
  status: StatusSchema,
  sent: Count,
  ok: Count,
  ratePerSecond: noted(NullableNumber, "mean of its epochs"),
  p99: noted(NullableNs, "of its main distribution"),
  valid: v.boolean(),
  startOffsetMs: noted(NullableNumber, "of its first epoch, from the planned or earliest start"),
});
export type ShardScenario = v.InferOutput<typeof ShardScenarioSchema>;

const MergedShardSchema = v.object({
  index: CountFrom1,
  lost: noted(NullableString, "why it was lost; null: it has reported"),
  machine: v.string(),
  late: v.boolean(),
  clock: v.nullable(ClockOffsetSchema),
  scenarios: v.array(ShardScenarioSchema),
});
export type MergedShard = v.InferOutput<typeof MergedShardSchema>;

/** A server that became slower over the run. */
const RunDriftSchema = v.object({
  ratio: noted(v.number(), "how many times longer calls took at the end than at first"),
  p: noted(v.number(), "Mann-Kendall test over the epochs, one-sided"),
  firstPerSecond: noted(OptionalNumber, "calls per second at first"),
  lastPerSecond: noted(OptionalNumber, "calls per second at the end"),
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
    ...v.entriesFromList(["os", "arch", "cpuModel"], v.string()),
    cpuCount: v.number(),
    memoryBytes: v.number(),
    ...v.entriesFromList(["deno", "v8", "mitata"], v.string()),
    cpuPressure: noted(
      NullableNumber,
      "share of the run in which work waited, 0 to 1; null: unknown",
    ),
    uniqueSeed: noted(OptionalCount, "the seed of {unique} in arguments"),
  }),
  target: v.object({
    url: v.string(),
    kind: v.picklist(["embedded", "external"]),
    protocol: v.picklist(PROTOCOL_NAMES),
    tool: v.string(),
    noDelay: noted(v.boolean(), "true: calls went through a relay without Nagle's algorithm"),
    proxy: noted(OptionalString, "the proxy of the connections, and the variable that names it"),
    insecure: noted(OptionalFlag, "true: the server's certificate was not checked"),
    uniqueArguments: noted(OptionalString, "set by the suite, as the server caches replies"),
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
  drift: noted(v.optional(RunDriftSchema), "calls took longer with each epoch, over all scenarios"),
  /** A tool call without a socket, as a unit test makes it. */
  unitBaseline: v.nullable(v.object({
    source: noted(
      v.picklist(["measured", "given"]),
      "measured: the reference server's dispatch, in-process; given: --unit-baseline",
    ),
    throughput: noted(v.number(), "calls per second"),
    ci95: NullableInterval,
    epochs: noted(v.array(v.number()), "calls per second in each epoch"),
  })),
  transcript: noted(v.optional(v.array(WireFrameSchema)), "the frames of one preflight call"),
  thresholds: v.optional(v.array(ThresholdResultSchema)),
  comparison: noted(v.optional(ComparisonSchema), "with the reports of --baseline or the history"),
  ab: v.optional(AbSchema),
  shard: noted(v.optional(ShardSchema), "which shard of a run this report is of"),
  merged: noted(
    v.optional(
      v.object({ of: v.picklist(["shards", "workers"]), parts: v.array(MergedShardSchema) }),
    ),
    "the reports that this one was merged from",
  ),
  scenarios: v.array(ScenarioReportSchema),
});
export type Report = v.InferOutput<typeof ReportSchema>;
