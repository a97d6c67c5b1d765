/**
 * The shape of report.json, as valibot schemas: the TypeScript types, the validation of files read back in and
 * the published JSON Schema (docs/report.schema.json) all come from them. Imports nothing of ours.
 *
 * @module
 */

import * as v from "valibot";

/** The protocols that the suite can speak. */
export const PROTOCOL_NAMES = ["exai", "mcp", "echo"] as const;
export type ProtocolName = typeof PROTOCOL_NAMES[number];

/** A count: a whole number from 0. */
const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Ns = v.pipe(v.number(), v.description("nanoseconds"));
const NullableNs = v.nullable(Ns);

/** `[low, high]` of a nominal 95 % interval, in the unit of the value it belongs to. */
export const IntervalSchema = v.pipe(
  v.strictTuple([v.number(), v.number()]),
  v.description("[low, high] of a nominal 95 % interval"),
);
export type Interval = v.InferOutput<typeof IntervalSchema>;

/** Every frame that came in after the handshake, by what it turned out to be. */
const FrameCountsSchema = v.object({
  received: Count,
  final: v.pipe(Count, v.description("frames that ended a call")),
  progress: v.pipe(Count, v.description("stream_complete, progress, notifications")),
  late: v.pipe(Count, v.description("final frames of calls that had already timed out")),
  duplicate: v.pipe(Count, v.description("further final frames for a call that has ended")),
  orphan: v.pipe(Count, v.description("an id never sent, or a reply that cannot be attributed")),
  malformed: v.pipe(Count, v.description("not JSON, or nothing that the protocol knows")),
});
export type FrameCounts = v.InferOutput<typeof FrameCountsSchema>;

/**
 * What became of every call. Three sums always hold:
 * `sent = ok + toolError + rateLimited + timeout + connectionLost + aborted`,
 * `frames.final = ok + toolError + rateLimited`, and
 * `frames.received = final + progress + late + duplicate + orphan + malformed`.
 */
export const LedgerSchema = v.object({
  sent: Count,
  ok: v.pipe(Count, v.description("a success for that very id")),
  cached: v.pipe(Count, v.description("those of ok that the server served from a cache")),
  toolError: v.pipe(Count, v.description("an error for that call")),
  rateLimited: v.pipe(Count, v.description("refused for load")),
  timeout: v.pipe(Count, v.description("no final frame in time")),
  connectionLost: v.pipe(Count, v.description("the socket went with the call outstanding")),
  aborted: v.pipe(Count, v.description("outstanding when the run was interrupted")),
  dropped: v.pipe(Count, v.description("open-loop slots never sent; not part of sent")),
  frames: FrameCountsSchema,
  errorCodes: v.record(v.string(), Count),
  closeCodes: v.record(v.string(), Count),
});
export type Ledger = v.InferOutput<typeof LedgerSchema>;

/** What one round of a distribution measured; `null` where the round has no sample. */
const RoundSummarySchema = v.object({
  count: Count,
  mean: NullableNs,
  p50: NullableNs,
  p95: NullableNs,
  p99: NullableNs,
  max: NullableNs,
  histogram: v.pipe(
    v.optional(v.string()),
    v.description("of a shard: HDR histogram V2, deflated, base64; shards merge exactly by it"),
  ),
});
export type RoundSummary = v.InferOutput<typeof RoundSummarySchema>;

/** One interval of a distribution over time. */
const SeriesPointSchema = v.object({
  atMs: v.number(),
  count: Count,
  p50: NullableNs,
  p99: NullableNs,
  max: NullableNs,
  histogram: v.pipe(v.optional(v.string()), v.description("of a shard, as in the rounds")),
});
export type SeriesPoint = v.InferOutput<typeof SeriesPointSchema>;

/** Which direction of a metric is an improvement; `null` where neither is. */
const BetterSchema = v.nullable(v.picklist(["higher", "lower"]));
export type Better = v.InferOutput<typeof BetterSchema>;

/** The coordinates of one step of a sweep, such as `{ inFlight: 8 }`. */
const AtSchema = v.optional(v.record(v.string(), v.number()));

/** What one layer of a call adds to the layers below it. */
const AddedSchema = v.object({
  above: v.pipe(
    v.nullable(v.string()),
    v.description("the metric of the layer below; null: there is none"),
  ),
  call: v.pipe(
    v.number(),
    v.description("nanoseconds, the call down to this layer: median over rounds of their medians"),
  ),
  value: v.pipe(
    v.number(),
    v.description("nanoseconds: median over rounds of the difference of the rounds' medians"),
  ),
  ci95: v.nullable(IntervalSchema),
  share: v.pipe(
    v.nullable(v.number()),
    v.description("of the whole call, 1 for all of it; null where the whole call took no time"),
  ),
  shareCi95: v.nullable(IntervalSchema),
  measuredOn: v.pipe(
    v.picklist(["target", "bundled"]),
    v.description("bundled: on parts that the suite brings along, as no server shows that layer"),
  ),
});
export type Added = v.InferOutput<typeof AddedSchema>;

/** Times in nanoseconds, pooled over all rounds. A percentile that rests on too few samples is null. */
export const DistributionSchema = v.object({
  name: v.string(),
  kind: v.literal("distribution"),
  unit: v.literal("ns"),
  count: v.pipe(Count, v.minValue(1)),
  min: Ns,
  mean: Ns,
  stddev: Ns,
  p50: Ns,
  p75: NullableNs,
  p90: NullableNs,
  p95: NullableNs,
  p99: NullableNs,
  p999: NullableNs,
  max: Ns,
  histogram: v.pipe(v.string(), v.description("HDR histogram V2, deflated, base64")),
  ci95: v.object({ p50: v.nullable(IntervalSchema), mean: v.nullable(IntervalSchema) }),
  better: BetterSchema,
  series: v.array(SeriesPointSchema),
  rounds: v.array(RoundSummarySchema),
  at: AtSchema,
  added: v.optional(AddedSchema),
});
export type Distribution = v.InferOutput<typeof DistributionSchema>;

/** One number a round; `value` is the median of the rounds. */
export const ScalarSchema = v.object({
  name: v.string(),
  kind: v.literal("scalar"),
  unit: v.string(),
  value: v.number(),
  ci95: v.nullable(IntervalSchema),
  better: BetterSchema,
  rounds: v.array(v.number()),
  at: AtSchema,
  merge: v.pipe(
    v.optional(v.picklist(["sum", "drift"])),
    v.description("of a shard: how shards merge; sum: round by round, drift: from the series"),
  ),
});
export type Scalar = v.InferOutput<typeof ScalarSchema>;

export const MetricSchema = v.variant("kind", [DistributionSchema, ScalarSchema]);
export type Metric = v.InferOutput<typeof MetricSchema>;

/** A statement that the run tested: what had to be seen, and what was. */
const CheckSchema = v.object({
  name: v.string(),
  passed: v.boolean(),
  expected: v.string(),
  observed: v.string(),
});
export type Check = v.InferOutput<typeof CheckSchema>;

/** Something that this run did not look at, and why. Never a pass, never a failure. */
const NotMeasuredSchema = v.object({ name: v.string(), reason: v.string() });
export type NotMeasured = v.InferOutput<typeof NotMeasuredSchema>;

/** A scenario's own loop against a server that does nothing: no server can look faster than that. */
const ClientFloorSchema = v.object({
  connections: v.pipe(Count, v.description("as many as in the scenario")),
  throughput: v.pipe(v.number(), v.description("calls per second")),
  latencyP50Ns: Ns,
});
export type ClientFloor = v.InferOutput<typeof ClientFloorSchema>;

/** Whether the client itself could have bounded the numbers. */
const ValiditySchema = v.object({
  valid: v.boolean(),
  clientCpu: v.pipe(
    v.nullable(v.number()),
    v.description("share of one core that the client thread used, 0 to 1; null: not applicable"),
  ),
  loopLagP99Ns: NullableNs,
  floor: v.optional(v.object({
    ...ClientFloorSchema.entries,
    share: v.pipe(
      v.nullable(v.number()),
      v.description("measured throughput over the floor's; from 0.9 on it is the client's own"),
    ),
  })),
  warnings: v.array(v.string()),
});
export type Validity = v.InferOutput<typeof ValiditySchema>;

/** When the measured rounds began and ended, by the machine's own clock. */
const MeasuredSchema = v.object({
  plannedStartMs: v.pipe(
    v.nullable(v.number()),
    v.description("when the first round was to begin, in unix milliseconds; null: when it could"),
  ),
  rounds: v.pipe(
    v.array(v.object({ startMs: v.number(), endMs: v.number() })),
    v.description("in unix milliseconds; the end is that of the last reply"),
  ),
});
export type Measured = v.InferOutput<typeof MeasuredSchema>;

export const ScenarioReportSchema = v.object({
  name: v.string(),
  question: v.string(),
  status: v.picklist(["passed", "failed", "skipped", "interrupted"]),
  reason: v.pipe(
    v.nullable(v.string()),
    v.description("why it was skipped, or what ended it early"),
  ),
  startedAt: v.string(),
  durationMs: v.number(),
  parameters: v.record(v.string(), v.union([v.number(), v.string(), v.boolean(), v.null()])),
  overloads: v.pipe(
    v.optional(v.boolean()),
    v.description("true: it drives the server too far on purpose: failed calls are findings"),
  ),
  checks: v.array(CheckSchema),
  notMeasured: v.array(NotMeasuredSchema),
  warmupLedger: LedgerSchema,
  ledger: LedgerSchema,
  metrics: v.array(MetricSchema),
  validity: ValiditySchema,
  notes: v.pipe(
    v.optional(v.array(v.string())),
    v.description("what is remarkable in the rounds, and does not make them invalid"),
  ),
  measured: v.optional(MeasuredSchema),
  share: v.pipe(
    v.optional(v.object({ connections: Count, of: Count })),
    v.description("of a shard: how many of the scenario's connections are its own"),
  ),
});
export type ScenarioReport = v.InferOutput<typeof ScenarioReportSchema>;

const ReasonSchema = v.object({
  code: v.pipe(Count, v.description("the exit code that this reason calls for")),
  scenario: v.nullable(v.string()),
  message: v.string(),
});
export type Reason = v.InferOutput<typeof ReasonSchema>;

/** Where a server's rate limiter began to refuse calls, told once for the run. */
const RateLimitSchema = v.object({
  scenario: v.string(),
  atCall: v.pipe(Count, v.description("the Nth call of its session, warm-up included")),
  message: v.pipe(v.string(), v.description("the server's own words")),
});
export type RateLimit = v.InferOutput<typeof RateLimitSchema>;

/** One tool call without a socket: what "unit test" means in the comparison. */
const UnitBaselineSchema = v.object({
  source: v.pipe(
    v.picklist(["measured", "given"]),
    v.description("measured: the reference server's dispatch, in-process; given: --unit-baseline"),
  ),
  throughput: v.pipe(v.number(), v.description("calls per second")),
});
export type UnitBaseline = v.InferOutput<typeof UnitBaselineSchema>;

/** What became of a fixed bound of the user's. */
const ThresholdResultSchema = v.object({
  expression: v.string(),
  observed: v.pipe(
    v.nullable(v.number()),
    v.description("in unit; null where it was not measured, which is never a pass"),
  ),
  unit: v.string(),
  passed: v.boolean(),
  reason: v.pipe(v.nullable(v.string()), v.description("why nothing was observed")),
});
export type ThresholdResult = v.InferOutput<typeof ThresholdResultSchema>;

/** What is known of one row of a comparison; `~` is no difference that counts. */
const ChangeSchema = v.picklist(["faster", "slower", "~", "too few rounds"]);
export type Change = v.InferOutput<typeof ChangeSchema>;

/** One metric of two reports. */
const ComparisonRowSchema = v.object({
  scenario: v.string(),
  metric: v.string(),
  statistic: v.pipe(
    v.picklist(["value", "p50", "p95", "p99"]),
    v.description("value of a scalar, otherwise the percentile"),
  ),
  unit: v.string(),
  better: v.picklist(["higher", "lower"]),
  old: v.pipe(v.number(), v.description("the statistic over all rounds, in unit")),
  new: v.number(),
  oldRounds: Count,
  newRounds: Count,
  ratio: v.pipe(v.number(), v.description("new over old: exp of the Hodges-Lehmann shift of logs")),
  ci95: v.nullable(IntervalSchema),
  p: v.pipe(v.number(), v.description("exact two-sided Mann-Whitney")),
  adjustedP: v.pipe(v.nullable(v.number()), v.description("by Holm over the gating rows")),
  gating: v.pipe(v.boolean(), v.description("whether the row decides")),
  verdict: v.nullable(ChangeSchema),
  roundsNeeded: v.pipe(
    v.nullable(Count),
    v.description("rounds a side without which no verdict is possible; null: there are enough"),
  ),
});
export type ComparisonRow = v.InferOutput<typeof ComparisonRowSchema>;

/** A kind of failed call that the new run has and the old one has not. */
const NewErrorsSchema = v.object({ scenario: v.string(), kind: v.string(), count: Count });
export type NewErrors = v.InferOutput<typeof NewErrorsSchema>;

const ComparisonSchema = v.object({
  noisePercent: v.pipe(v.number(), v.description("changes within this many per cent do not count")),
  differences: v.pipe(
    v.array(v.string()),
    v.description("what makes the runs incomparable; empty unless the comparison was forced"),
  ),
  rows: v.array(ComparisonRowSchema),
  newErrors: v.array(NewErrorsSchema),
  onlyInOld: v.array(v.string()),
  onlyInNew: v.array(v.string()),
  regressions: v.pipe(v.array(v.string()), v.description("a sentence for each")),
});
export type Comparison = v.InferOutput<typeof ComparisonSchema>;

/** A share of a run: the `index`th of `count`, from 1. */
const ShardPlaceSchema = v.object({
  index: v.pipe(Count, v.minValue(1)),
  count: v.pipe(Count, v.minValue(1)),
});
export type ShardPlace = v.InferOutput<typeof ShardPlaceSchema>;

/** How far a machine's clock is from the server's: by what the server wrote of its own. */
const ClockOffsetSchema = v.object({
  offsetMs: v.pipe(v.number(), v.description("the server's clock less this machine's")),
  errorMs: v.pipe(v.number(), v.description("the offset is right within this: half a round trip")),
});
export type ClockOffset = v.InferOutput<typeof ClockOffsetSchema>;

/** Which share of a run a report is of. */
const ShardSchema = v.object({
  ...ShardPlaceSchema.entries,
  startAtMs: v.pipe(
    v.nullable(v.number()),
    v.description("when all shards were to begin, in unix milliseconds"),
  ),
  startOffsetMs: v.pipe(
    v.nullable(v.number()),
    v.description("how much later than planned it began, by its own clock"),
  ),
  late: v.pipe(v.boolean(), v.description("whether it began over 50 ms after the time planned")),
  clock: v.pipe(
    v.nullable(ClockOffsetSchema),
    v.description("null: the server does not tell its time"),
  ),
});
export type Shard = v.InferOutput<typeof ShardSchema>;

/** What one shard did in one scenario of a merged report. */
const ShardScenarioSchema = v.object({
  name: v.string(),
  status: v.picklist(["passed", "failed", "skipped", "interrupted"]),
  sent: Count,
  ok: Count,
  ratePerSecond: v.pipe(v.nullable(v.number()), v.description("the median of its rounds")),
  p99: v.pipe(NullableNs, v.description("of its main distribution")),
  valid: v.boolean(),
  startOffsetMs: v.pipe(
    v.nullable(v.number()),
    v.description("its first round's start less the planned one, or the earliest shard's"),
  ),
});
export type ShardScenario = v.InferOutput<typeof ShardScenarioSchema>;

/** One shard or worker of a merged report. */
const MergedShardSchema = v.object({
  index: v.pipe(Count, v.minValue(1)),
  lost: v.pipe(v.nullable(v.string()), v.description("what it died of; null: it has reported")),
  machine: v.string(),
  late: v.boolean(),
  clock: v.nullable(ClockOffsetSchema),
  scenarios: v.array(ShardScenarioSchema),
});
export type MergedShard = v.InferOutput<typeof MergedShardSchema>;

export const ReportSchema = v.object({
  schemaVersion: v.literal(1),
  suite: v.object({ name: v.string(), version: v.string(), commit: v.nullable(v.string()) }),
  startedAt: v.string(),
  finishedAt: v.string(),
  seed: v.number(),
  command: v.array(v.string()),
  environment: v.object({
    os: v.string(),
    arch: v.string(),
    cpuModel: v.string(),
    cpuCount: v.number(),
    memoryBytes: v.number(),
    deno: v.string(),
    v8: v.string(),
    mitata: v.string(),
  }),
  target: v.object({
    url: v.string(),
    kind: v.picklist(["embedded", "external"]),
    protocol: v.picklist(PROTOCOL_NAMES),
    tool: v.string(),
  }),
  profile: v.string(),
  verdict: v.object({
    status: v.picklist(["passed", "failed", "interrupted"]),
    exitCode: Count,
    reasons: v.array(ReasonSchema),
  }),
  preflight: v.array(CheckSchema),
  rateLimit: v.nullable(RateLimitSchema),
  unitBaseline: v.nullable(UnitBaselineSchema),
  thresholds: v.optional(v.array(ThresholdResultSchema)),
  comparison: v.pipe(
    v.optional(ComparisonSchema),
    v.description("against the report given as --baseline"),
  ),
  shard: v.pipe(v.optional(ShardSchema), v.description("which share of a run this is")),
  merged: v.pipe(
    v.optional(v.object({
      of: v.picklist(["shards", "workers"]),
      parts: v.array(MergedShardSchema),
    })),
    v.description("what the report was merged from"),
  ),
  scenarios: v.array(ScenarioReportSchema),
});
export type Report = v.InferOutput<typeof ReportSchema>;
