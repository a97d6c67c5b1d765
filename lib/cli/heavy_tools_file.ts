/**
 * The file of `--heavy-tools`: which tools that take long may be called, and how.
 *
 * @module
 */

import * as v from "valibot";
import type { HeavyToolSpec } from "../run/heavy_tools.ts";
import { readFile } from "./files.ts";
import type { Given } from "./parse.ts";
import { UsageError } from "./usage_error.ts";

/** How much of a wrong value an error shows, in characters. */
const SHOWN_CHARACTERS = 60;

/** A whole number in a range, with what is accepted as the message. */
function whole(min: number, max: number) {
  const accepted = `a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(accepted),
    v.integer(accepted),
    v.minValue(min, accepted),
    v.maxValue(max, accepted),
  );
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const SECONDS = "a number of seconds above 0 to 3600";
/** Tools name metrics, so that their names have no sign that a metric's or a threshold's has. */
const TOOL = "a name of up to 64 letters, digits, dots and -_:/";

const ToolSchema = v.strictObject({
  tool: v.pipe(v.string(TOOL), v.regex(/^[\w.:/-]{1,64}$/, TOOL)),
  arguments: v.optional(v.custom<object>(isObject, 'an object, such as {"prompt": "hi"}'), {}),
  timeoutSeconds: v.optional(
    v.pipe(v.number(SECONDS), v.gtValue(0, SECONDS), v.maxValue(3600, SECONDS)),
    60,
  ),
  weight: v.optional(whole(1, 100), 1),
  repetitions: v.optional(whole(1, 1000), 1),
}, "an object with tool, arguments, timeoutSeconds, weight and repetitions, and no other field");

const LIST = "a list of one or more tools";
const FileSchema = v.pipe(
  v.array(ToolSchema, LIST),
  v.minLength(1, LIST),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const names = dataset.value.map(({ tool }) => tool);
    const index = names.findIndex((name, at) => names.indexOf(name) < at);
    if (index < 0) return;
    const path = [
      {
        type: "array",
        origin: "value",
        input: dataset.value,
        key: index,
        value: dataset.value[index],
      },
      {
        type: "object",
        origin: "value",
        input: dataset.value[index]!,
        key: "tool",
        value: names[index],
      },
    ] as const;
    addIssue({ message: "each tool once", input: names[index], path: [...path] });
  }),
);

/**
 * The heavy tools of a file, `null` where none is named.
 *
 * @throws {UsageError} naming the file, the field, its value and what is accepted
 */
export async function readHeavyTools(
  given: Given | undefined,
  directory: string,
): Promise<HeavyToolSpec[] | null> {
  if (given === undefined) return null;
  const result = v.safeParse(FileSchema, parseJson(await readFile(given, directory), given));
  if (!result.success) throw wrongField(result.issues[0], given);
  return result.output.map(({ tool, arguments: args, timeoutSeconds, weight, repetitions }) => ({
    tool,
    argsJson: JSON.stringify(args),
    timeoutMs: timeoutSeconds * 1000,
    weight,
    repetitions,
  }));
}

function parseJson(text: string, { source, text: file }: Given): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Cannot use the file of ${source} "${file}": it is not JSON: ${cause}`);
  }
}

function wrongField(issue: v.BaseIssue<unknown>, { source, text: file }: Given): UsageError {
  const path = issue.path?.map(({ key }) => typeof key === "number" ? `[${key}]` : `.${key}`) ?? [];
  const field = path.length === 0 ? "its content" : path.join("").replace(/^\./, "");
  // A field that is missing has no text.
  const value = (JSON.stringify(issue.input) ?? "missing").slice(0, SHOWN_CHARACTERS);
  return new UsageError(
    `Cannot use the file of ${source} "${file}": ${field} is ${value}: accepted is ${issue.message}`,
  );
}
