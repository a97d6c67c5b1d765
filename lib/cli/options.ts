/**
 * The options of `deno task bench`: the one table that parsing, the environment and the help text are
 * made from.
 *
 * @module
 */

/** One option. */
export interface OptionSpec {
  name: string;
  /** `flag` takes no value; `list` may be repeated; of a `value` the last one wins. */
  kind: "flag" | "value" | "list";
  /** The placeholder of its value in the help text. */
  value: string;
  /** The variable that gives it where the option is absent. */
  env?: string;
  help: string;
}

/** A heading of the help text, and the options under it. */
export interface OptionGroup {
  title: string;
  options: readonly OptionSpec[];
}

export const OPTION_GROUPS: readonly OptionGroup[] = [
  {
    title: "Target",
    options: [
      value("url", "WS_URL", {
        env: "EXAI_WS_URL",
        help: "the server (also EXAI_WS_HOST and EXAI_WS_PORT); none: the bundled one",
      }),
      value("token", "TOKEN", {
        env: "EXAI_WS_TOKEN",
        help: "visible in ps and in deno task's echo: prefer the environment or .env",
      }),
      value("protocol", "NAME", {
        env: "BENCH_PROTOCOL",
        help: "exai (default), mcp, jsonrpc or echo",
      }),
      value("tool", "NAME", { help: "the light tool to call (default: status)" }),
      value("tool-args", "JSON|@FILE", {
        help: "its arguments (default {}); {seq}: the call's number; {unique}: new text",
      }),
      value("heavy-tools", "FILE", {
        help: "JSON list of the tools that heavy-tools and head-of-line call",
      }),
      value("workload", "FILE", {
        help:
          "JSON or YAML: what a session does (docs/workloads.md; deno task workload drafts one)",
      }),
      list("header", "'K: V'", { help: "sent with the upgrade; repeatable" }),
      list("subprotocol", "NAME", { help: "offered in the upgrade; repeatable" }),
      value("ignore-first", "N", {
        help: "frames of each connection to leave out, such as a greeting (default 0)",
      }),
      value("ca-cert", "FILE", { help: "a certificate authority to trust, PEM" }),
      value("client-cert", "FILE", {
        help: "a certificate of this client's, PEM; with --client-key",
      }),
      value("client-key", "FILE", { help: "its key, PEM" }),
      flag("insecure", {
        help:
          "takes any certificate of a wss:// server, by a relay that costs time: for tests alone",
      }),
      value("wait", "SECONDS", { help: "for a server that is still starting (default 0)" }),
    ],
  },
  {
    title: "What to run",
    options: [
      list("scenarios", "A,B", { help: "default: all of the profile" }),
      flag("list", { help: "list profiles and scenarios, and how long they take" }),
      value("profile", "NAME", { help: "quick, standard (default), thorough, phase2 or phase3" }),
      value("epochs", "N", { help: "how often everything is repeated on fresh connections" }),
      value("precision", "PERCENT", {
        help: "goes on until every headline repeats within this (at least 6 epochs)",
      }),
      value("max-time", "SECONDS", { help: "with --precision: stop after this (default 600)" }),
      value("duration", "SECONDS", { help: "of one case in one epoch, all slices together" }),
      value("warmup", "SECONDS", {
        help: "0: no warm-up epoch; else of one case in the warm-up epoch",
      }),
      value("messages", "N", { help: "for each connection and epoch; a count beats a duration" }),
      value("connections", "N", { help: "clients at once; scaling: the most of them" }),
      value("in-flight", "N", {
        help: "of each client in concurrent-connections; pipelining: this depth alone",
      }),
      value("rate", "PER_SECOND", {
        help: "open-loop, soak, spike: calls sent, whatever comes back",
      }),
      value("arrivals", "NAME", { help: "open-loop: constant (default) or poisson" }),
      value("max-outstanding", "N", {
        help: "open loops: maximum calls outstanding (default: rate x timeout)",
      }),
      value("stages", "T:N,T:N", {
        help: "open-loop, soak: ramps of the rate; session-capacity: of the sessions",
      }),
      value("spike-factor", "N", { help: "spike: how many times the rate it is (default 5)" }),
      value("slo", "MS", { help: "saturation, session-capacity: the p99 that must be met" }),
      value("payload", "BYTES", {
        help: "adds an argument of this size to every call; payload-size: this size alone",
      }),
      value("timeout", "SECONDS", { help: "for each connect, handshake and call (default 10)" }),
      value("max-rate", "PER_SECOND", {
        help: "caps each session's calls (default: what the server's rate limiter allows)",
      }),
      flag("ignore-limits", { help: "runs into a rate limiter, and counts what it refuses" }),
      value("expect-limits", "LIMITS", {
        help: "rate-limit: what should be found, such as 'session=50/5,ip=100/10' or 'ip=none'",
      }),
      value("max-calls", "N", {
        help: "calls of heavy tools that a run may plan (default 200)",
      }),
      value("no-delay", "auto|on|off", {
        help: "calls past Nagle's algorithm by a local relay (auto: those that need it)",
      }),
      value("seed", "N", { help: "for everything random (default 1), and for {unique}" }),
      value("unit-baseline", "PER_SECOND", {
        help: "your own unit tests' figure, in place of the in-process one",
      }),
    ],
  },
  {
    title: "Past one event loop (docs/scale-out.md)",
    options: [
      value("workers", "N|auto", {
        help: "event loops on this machine, each with its share (default 1)",
      }),
      value("shard", "I/N|auto", {
        help: "share I of N of the connections and the rate; auto: by Slurm array or indexed Job",
      }),
      value("start-at", "TIME", {
        env: "BENCH_START_AT",
        help: "ISO 8601 or unix seconds: when all shards begin",
      }),
    ],
  },
  {
    title: "Verdict and reports",
    options: [
      list("threshold", "'M OP V'", {
        help: "a bound, such as message-throughput.latency.p95<5ms or errors=0; repeatable",
      }),
      list("baseline", "FILE|DIR", {
        help: "compare with earlier report.json files; repeatable; 4 or more tell the noise",
      }),
      value("noise", "PERCENT", {
        help: "the noise between runs; without it, it is learned from 4 or more baselines",
      }),
      value("band", "PERCENT", { help: "changes smaller than this do not matter (default 3)" }),
      flag("force", { help: "compare although workload or environment differ" }),
      flag("strict", { help: "an invalid or undecided result fails the run" }),
      value("out", "DIR", { help: "default: reports" }),
      list("format", "A,B", {
        help: "json, md, html, junit, github, benchmark (default: json,md,html)",
      }),
      value("inject", "FILE", {
        help: "fill a page of yours between <!-- bench:start --> and <!-- bench:end -->",
      }),
      flag("open", { help: "opens report.html at the end; for deno task bench:open" }),
      flag("quiet", { help: "no progress" }),
      flag("no-color", { env: "NO_COLOR", help: "no colours" }),
      flag("help", { help: "this text" }),
      flag("version", { help: "the version" }),
      flag("permissions", { help: "the permissions that each command needs, in place of -A" }),
    ],
  },
];

/** All options by name. */
export const OPTIONS: ReadonlyMap<string, OptionSpec> = new Map(
  OPTION_GROUPS.flatMap(({ options }) => options.map((option) => [option.name, option])),
);

function flag(name: string, rest: { env?: string; help: string }): OptionSpec {
  return { name, kind: "flag", value: "", ...rest };
}

function value(
  name: string,
  placeholder: string,
  rest: { env?: string; help: string },
): OptionSpec {
  return { name, kind: "value", value: placeholder, ...rest };
}

function list(name: string, placeholder: string, rest: { help: string }): OptionSpec {
  return { name, kind: "list", value: placeholder, ...rest };
}
