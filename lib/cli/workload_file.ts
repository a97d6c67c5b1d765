import { CORE_SCHEMA, load } from "js-yaml";
import * as v from "valibot";
import { type Duration, ON_ERROR, type SessionSpec, type StepSpec } from "../load/session.ts";
import { isRecord } from "../protocols/json.ts";
import type { HeavyToolSpec } from "../run/heavy_tools.ts";
import { readFile } from "./files.ts";
import { type Given, UsageError } from "./usage_error.ts";

type Place = Parameters<typeof readFile>[1];
/** An invalid field, as valibot reports it. */
type Issue = { path?: readonly { key: unknown }[] | undefined; input: unknown; message: string };

/** How many characters of an invalid value an error shows. */
const SHOWN_CHARACTERS = 60;

function whole(min: number, max: number) {
  const schema = v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
  return v.config(schema, { message: `a whole number from ${min} to ${max}` });
}

function upTo(max: number, message: string) {
  return v.config(v.pipe(v.number(), v.minValue(0), v.maxValue(max)), { message });
}

/** A list of one or more. */
function some<S extends v.GenericSchema>(item: S, what: string) {
  const accepted = `a list of one or more ${what}`;
  return v.pipe(v.array(item, accepted), v.minLength(1, accepted));
}

/** Tools name metrics, so they cannot contain the signs of metrics and thresholds. */
const TOOL = "a name of up to 64 letters, digits, dots and -_:/";
/** The tool names accepted in a file. */
export const TOOL_NAME = /^[\w.:/-]{1,64}$/;
const ToolName = v.pipe(v.string(TOOL), v.regex(TOOL_NAME, TOOL));
const Arguments = v.optional(v.custom<object>(isRecord, 'an object, such as {"prompt": "hi"}'), {});
const Timeout = v.config(v.pipe(v.number(), v.gtValue(0), v.maxValue(3600)), {
  message: "a number of seconds above 0, up to 3600",
});
const Weight = v.optional(whole(1, 100), 1);

const HeavyToolSchema = v.strictObject({
  tool: ToolName,
  arguments: Arguments,
  timeoutSeconds: v.optional(Timeout, 60),
  weight: Weight,
  repetitions: v.optional(whole(1, 1000), 1),
}, "an object with tool, arguments, timeoutSeconds, weight and repetitions, and no other field");

const HeavyToolsSchema = some(HeavyToolSchema, "tools");

const DURATION = "a number of seconds from 0 to 86400, or one of {exponential: MEAN} and " +
  "{logNormal: {median: SECONDS, sigma: NUMBER}}";
const Seconds = upTo(86_400, DURATION);
const Sigma = upTo(5, DURATION);
const DurationSchema = v.pipe(
  v.union([
    Seconds,
    v.strictObject({ exponential: Seconds }),
    v.strictObject({ logNormal: v.strictObject({ median: Seconds, sigma: Sigma }) }),
  ], DURATION),
  v.transform((given): Duration => {
    if (typeof given === "number") return { kind: "constant", ms: given * 1e3 };
    if ("exponential" in given) return { kind: "exponential", meanMs: given.exponential * 1e3 };
    const { median, sigma } = given.logNormal;
    return { kind: "logNormal", medianMs: median * 1e3, sigma };
  }),
);
const OnErrorSchema = v.picklist(ON_ERROR, `one of ${ON_ERROR.join(", ")}`);

const StepSchema = v.strictObject({
  tool: ToolName,
  arguments: Arguments,
  think: v.optional(DurationSchema),
  onError: v.optional(OnErrorSchema),
  timeoutSeconds: v.optional(Timeout),
}, "an object with tool, arguments, think, onError and timeoutSeconds, and no other field");

const SessionSchema = v.strictObject({
  begin: v.optional(v.array(StepSchema, "a list of steps"), []),
  patterns: v.optional(whole(1, 1e6)),
  time: v.optional(DurationSchema),
}, "an object with begin, patterns and time, and no other field");

const PatternSchema = v.strictObject({
  name: v.optional(v.string("a string")),
  weight: Weight,
  steps: some(StepSchema, "steps"),
}, "an object with name, weight and steps, and no other field");

const WORKLOAD = "a list of tools, or an object with patterns, session, think, onError and " +
  "timeoutSeconds, and no other field";
const WorkloadSchema = v.strictObject({
  session: v.optional(SessionSchema, {}),
  think: v.optional(DurationSchema, 1),
  onError: v.optional(OnErrorSchema, "continue"),
  timeoutSeconds: v.optional(Timeout),
  patterns: some(PatternSchema, "patterns"),
}, WORKLOAD);

/** The think time of a workload given as a list of tools. */
const SECOND: Duration = { kind: "exponential", meanMs: 1_000 };

/** Reads what sessions do: patterns, or a list of tools that become patterns of one step each. */
export async function readWorkload(given: Given, place: Place): Promise<SessionSpec> {
  const content = parseText(await readFile(given, place), given);
  if (Array.isArray(content)) {
    const patterns = heavyTools(content, given).map(({ tool, argsJson, timeoutMs, weight }) => ({
      name: tool,
      weight,
      steps: [{ tool, argsJson, timeoutMs, think: SECOND, onError: "continue" as const }],
    }));
    return { begin: [], patterns, lasts: { patterns: null, time: null } };
  }
  const { session, patterns, ...rest } = checked(WorkloadSchema, content, given);
  const step = (own: v.InferOutput<typeof StepSchema>): StepSpec => {
    const { tool, arguments: args, timeoutSeconds, think, onError } = { ...rest, ...own };
    return {
      ...{ tool, think, onError },
      argsJson: JSON.stringify(args),
      timeoutMs: timeoutSeconds === undefined ? null : timeoutSeconds * 1e3,
    };
  };
  return {
    begin: session.begin.map(step),
    patterns: patterns.map(({ name, weight, steps }) => ({
      name: name ?? steps.map(({ tool }) => tool).join(", "),
      weight,
      steps: steps.map(step),
    })),
    lasts: { patterns: session.patterns ?? null, time: session.time ?? null },
  };
}

/** Reads the heavy tools of a file. */
export async function readHeavyTools(given: Given, place: Place): Promise<HeavyToolSpec[]> {
  return heavyTools(parseText(await readFile(given, place), given), given);
}

function heavyTools(content: unknown, given: Given): HeavyToolSpec[] {
  const tools = checked(HeavyToolsSchema, content, given);
  const names = tools.map(({ tool }) => tool);
  const again = names.findIndex((name, index) => names.indexOf(name) < index);
  if (again >= 0) {
    const path = [{ key: again }, { key: "tool" }];
    throw wrongField({ path, input: names[again], message: "each tool once" }, given);
  }
  return tools.map(({ arguments: args, timeoutSeconds, ...rest }) => ({
    ...rest,
    argsJson: JSON.stringify(args),
    timeoutMs: timeoutSeconds * 1000,
  }));
}

/** Parses JSON, or YAML without its extra types: dates stay text. */
function parseText(text: string, { source, text: file }: Given): unknown {
  // The library would report an empty file as a syntax error.
  if (text.trim() === "") return undefined;
  try {
    return load(text, { schema: CORE_SCHEMA });
  } catch (error) {
    const cause = error instanceof Error ? error.message.split("\n")[0] : String(error);
    const what = "it is neither JSON nor YAML";
    throw new UsageError(`Cannot use the file of ${source} "${file}": ${what}: ${cause}`);
  }
}

function checked<S extends v.GenericSchema>(schema: S, content: unknown, given: Given) {
  const result = v.safeParse(schema, content);
  if (result.success) return result.output;
  throw wrongField(result.issues[0], given);
}

function wrongField(issue: Issue, { source, text: file }: Given): UsageError {
  const path = issue.path?.map(({ key }) => typeof key === "number" ? `[${key}]` : `.${key}`) ?? [];
  const field = path.length === 0 ? "its content" : path.join("").replace(/^\./, "");
  // `undefined` has no JSON text.
  const value = (JSON.stringify(issue.input) ?? "missing").slice(0, SHOWN_CHARACTERS);
  return new UsageError(
    `Cannot use the file of ${source} "${file}": ${field} is ${value}: accepted is ${issue.message}`,
  );
}
