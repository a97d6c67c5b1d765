/**
 * The options of `deno task bench`, some of which other commands share: the help text that declares
 * them, and a reader for each.
 *
 * @module
 */

import { NO_DELAY } from "../client/relay.ts";
import { ARRIVALS } from "../load/schedule.ts";
import { parseStages, STAGES_SYNTAX } from "../load/stages.ts";
import { EXPECTED_LIMITS_SYNTAX, parseExpectedLimits } from "../run/expected_limits.ts";
import type { Overrides } from "../run/plan.ts";
import { PROFILE_NAMES } from "../run/scenario.ts";
import { PROTOCOL_NAMES } from "../schema.ts";
import { parseThreshold, ThresholdError } from "../stats/thresholds.ts";
import { flag, list, one, optionsIn, type OptionSpec, type Reader } from "./command_line.ts";
import { readBaselines, readCaCert, readPagePath, readToolArgs } from "./files.ts";
import { readShard, readStartAt, readWorkers } from "./shard_settings.ts";
import { expecting, type Given, unacceptable } from "./usage_error.ts";
import {
  above,
  from,
  parseDuration,
  parseHeaders,
  parseName,
  parseNames,
  parseSubprotocols,
  readUrl,
  whole,
} from "./values.ts";
import { readHeavyTools, readWorkload } from "./workload_file.ts";
import { REPORT_FORMATS } from "./write_reports.ts";

const GROUPS = `
Target:
  --url WS_URL                the server (or EXAI_WS_HOST and EXAI_WS_PORT); default: the bundled one [EXAI_WS_URL]
  --token TOKEN               visible in ps and deno task's echo: prefer the environment or .env [EXAI_WS_TOKEN]
  --protocol NAME             exai (default), mcp, jsonrpc or echo [BENCH_PROTOCOL]
  --tool NAME                 the light tool to call (default: status)
  --tool-args JSON|@FILE      its arguments (default {}); {seq}: the call's number; {unique}: unique text
  --heavy-tools FILE          JSON list of the tools that heavy-tools and head-of-line call
  --workload FILE             JSON or YAML: what a session does (docs/workloads.md; deno task workload drafts one)
  --header 'K: V'             sent with the upgrade; repeatable
  --subprotocol NAME          offered in the upgrade; repeatable
  --ignore-first N            frames to ignore on each connection, such as a greeting (default 0)
  --ca-cert FILE              a certificate authority to trust, PEM
  --client-cert FILE          the client's certificate, PEM; with --client-key
  --client-key FILE           its private key, PEM
  --insecure                  accept any certificate of a wss:// server, through a slower relay: tests only
  --wait SECONDS              how long to wait for a server that is still starting (default 0)

What to run:
  --scenarios A,B             run only these (default: all of the profile)
  --list                      list profiles and scenarios, and how long they take
  --profile NAME              quick, standard (default), thorough, phase2 or phase3
  --epochs N                  how often everything is repeated, on fresh connections
  --precision PERCENT         continue until every headline repeats within this (at least 6 epochs)
  --max-time SECONDS          with --precision: stop after this (default 600)
  --duration SECONDS          measured time of one case in one epoch, all slices together
  --warmup SECONDS            the same in the warm-up epoch; 0: no warm-up epoch
  --messages N                per connection and epoch; a count overrides a duration
  --connections N             concurrent clients; scaling, session-capacity: the maximum
  --in-flight N               calls in flight per client, in concurrent-connections; pipelining: only this depth
  --rate PER_SECOND           open-loop, soak, spike: calls sent, regardless of replies
  --arrivals NAME             open-loop: constant (default) or poisson
  --max-outstanding N         open loops: maximum calls outstanding (default: rate x timeout)
  --stages T:N,T:N            open-loop, soak: ramps of the rate; session-capacity: of the sessions
  --spike-factor N            spike: how many times the normal rate (default 5)
  --slo MS                    saturation, session-capacity: the p99 to meet
  --payload BYTES             add an argument of this size to every call; payload-size: only this size
  --timeout SECONDS           for each connect, handshake and call (default 10)
  --max-rate PER_SECOND       cap each session's calls (default: what the server's rate limiter allows)
  --ignore-limits             run into the rate limiter, and count what it refuses
  --expect-limits LIMITS      rate-limit: the limits to find, such as 'session=50/5,ip=100/10' or 'ip=none'
  --max-calls N               maximum heavy-tool calls that a run can plan (default 200)
  --no-delay auto|on|off      bypass Nagle's algorithm with a local relay (auto: where needed)
  --seed N                    for everything random (default 1), and for {unique}
  --unit-baseline PER_SECOND  your own unit tests' rate, instead of the in-process one

Past one event loop (docs/scale-out.md):
  --workers N|auto            event loops on this machine, each with its share (default 1)
  --shard I/N|auto            share I of N of the connections and rate; auto: from Slurm array or indexed Job
  --start-at TIME             when all shards begin: ISO 8601 or unix seconds [BENCH_START_AT]

Verdict and reports:
  --threshold 'M OP V'        a bound, such as message-throughput.latency.p95<5ms or errors=0; repeatable
  --baseline FILE|DIR         compare with earlier report.json files; repeatable; 4 or more show the noise
  --noise PERCENT             the noise between runs (default: learned from 4 or more baselines)
  --band PERCENT              changes smaller than this do not matter (default 3)
  --force                     compare even if workload or environment differs
  --strict                    fail if a result is invalid or undecided
  --out DIR                   folder of the reports (default: reports)
  --format A,B                json, md, html, junit, github, benchmark (default: json,md,html)
  --inject FILE               fill your own page between <!-- bench:start --> and <!-- bench:end -->
  --open                      open report.html at the end; needs deno task bench:open
  --quiet                     no progress
  --no-color                  no colours [NO_COLOR]
  --help                      this text
  --version                   the version
  --permissions               the permissions that each command needs, instead of -A`;

export const USAGE = `Usage: deno task bench [options]

Measures a JSON request/response WebSocket server and writes the reports.
Without --url it starts the bundled reference server, measures it, and stops it again.
${GROUPS}

Options override the environment, which overrides .env.
CI, TERM=dumb: plain progress. GITHUB_ACTIONS, GITHUB_STEP_SUMMARY: see docs/ci.md.

Exit codes:
  0  passed                     4  a threshold was missed
  1  a check failed             5  a regression against the baseline
  2  usage                      6  --strict, and a result is invalid or undecided
  3  the target can't be used   130  interrupted
`;

/** The headings of the help text, and the options under each. */
export const OPTION_GROUPS = GROUPS.trim().split("\n\n").map((group) => ({
  title: group.split(":\n", 1)[0]!,
  options: optionsIn(group),
}));

export const OPTIONS: ReadonlyMap<string, OptionSpec> = new Map(
  optionsIn(GROUPS).map((option) => [option.name, option]),
);

/** Looks up options by name, for other commands that take them. */
export function optionsNamed(...names: string[]): OptionSpec[] {
  return names.map((name) => OPTIONS.get(name)!);
}

const percent = from(0, 100, "percent");
const milliseconds = (max: number) => (given: Given) =>
  parseDuration(given, { min: 0, aboveMin: true, max });
const orZeroMilliseconds = (given: Given) => parseDuration(given, { min: 0, max: 3600 });
const nameOf = <N extends string>(names: readonly N[]) => (given: Given) => parseName(given, names);
const text = (given: Given) => given.text;

/** Returns the text without white space, if `parse` accepts it. */
const spaceless =
  (parse: (text: string) => unknown, accepted: (error: RangeError) => string) => (given: Given) => {
    try {
      parse(given.text);
      return given.text.replaceAll(/\s/g, "");
    } catch (error) {
      throw error instanceof RangeError ? unacceptable(given, accepted(error)) : error;
    }
  };

/** Options that only some scenarios take; `null` if not given. */
export const OVERRIDES = {
  durationMs: one("duration", milliseconds(86_400)),
  warmupMs: one("warmup", orZeroMilliseconds),
  messages: one("messages", whole(1, 1e9)),
  connections: one("connections", whole(1, 10_000)),
  payloadBytes: one("payload", whole(0, 32 * 2 ** 20, "bytes")),
  inFlight: one("in-flight", whole(1, 10_000)),
  ratePerSecond: one("rate", above(0, 1e6, "calls/s")),
  arrivals: one("arrivals", nameOf(ARRIVALS)),
  maxOutstanding: one("max-outstanding", whole(1, 1e6)),
  sloMs: one("slo", above(0, 3.6e6, "milliseconds")),
  stages: one("stages", spaceless(parseStages, () => STAGES_SYNTAX)),
  spikeFactor: one("spike-factor", above(1, 1000)),
  expectLimits: one(
    "expect-limits",
    spaceless(parseExpectedLimits, ({ message }) => `${EXPECTED_LIMITS_SYNTAX}; ${message}`),
  ),
} satisfies { [K in keyof Overrides]: Reader<Overrides[K]> };

/** The settings of a run; without a default, `null` if not given. */
export const SETTINGS = {
  url: list("url", (givens, { env }) => readUrl(givens.at(-1), env)),
  token: one("token", text),
  protocol: one("protocol", nameOf(PROTOCOL_NAMES), "exai" as const),
  tool: one("tool", text),
  toolArgsJson: one("tool-args", readToolArgs, "{}"),
  heavyTools: one("heavy-tools", readHeavyTools),
  workload: one("workload", readWorkload),
  maxHeavyCalls: one("max-calls", whole(0, 1e6, "calls"), 200),
  headers: list("header", parseHeaders),
  subprotocols: list("subprotocol", parseSubprotocols),
  ignoreFirst: one("ignore-first", whole(0, 1000, "frames"), 0),
  caCert: one("ca-cert", readCaCert),
  insecure: flag("insecure"),
  waitMs: one("wait", orZeroMilliseconds, 0),
  scenarios: list(
    "scenarios",
    (givens, { vocabulary }) =>
      givens.length === 0 ? null : parseNames(givens, Object.keys(vocabulary)),
  ),
  profile: one("profile", nameOf(PROFILE_NAMES), "standard" as const),
  epochs: one("epochs", whole(1, 1000)),
  precisionPercent: one("precision", above(0, 100, "percent")),
  maxTimeMs: one("max-time", milliseconds(86_400), 600_000),
  noDelay: one("no-delay", nameOf(NO_DELAY), "auto" as const),
  timeoutMs: one("timeout", milliseconds(3600), 10_000),
  maxRatePerSecond: one("max-rate", above(0, 1e7, "calls/s")),
  ignoreLimits: flag("ignore-limits"),
  seed: one("seed", whole(0, 2 ** 32 - 1)),
  unitBaselinePerSecond: one("unit-baseline", above(0, 1e12, "calls/s")),
  thresholds: list(
    "threshold",
    (givens, { vocabulary }) =>
      givens.map(({ text }) => expecting(ThresholdError, () => parseThreshold(text, vocabulary))),
  ),
  baselines: list("baseline", readBaselines),
  noisePercent: one("noise", percent),
  bandPercent: one("band", percent, 3),
  force: flag("force"),
  strict: flag("strict"),
  /** `null`: the whole run. */
  shard: one("shard", readShard),
  /** In unix milliseconds; `null`: immediately. */
  startAtMs: one("start-at", (given) => readStartAt(given, Date.now())),
  workers: one("workers", readWorkers),
  formats: formatsOr("json", "md", "html"),
  /** The page to fill between its marks, as an absolute path. */
  page: one("inject", readPagePath),
  quiet: flag("quiet"),
};

/** Reads the formats of the reports; the arguments are the default. */
export function formatsOr(...otherwise: typeof REPORT_FORMATS[number][]) {
  return list(
    "format",
    (givens) => givens.length === 0 ? otherwise : parseNames(givens, REPORT_FORMATS),
  );
}
