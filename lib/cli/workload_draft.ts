import { dump } from "js-yaml";
import { isRecord } from "../protocols/json.ts";

type Schema = Record<string, unknown>;
const BOUNDS = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"];

/** Limit for schemas that contain each other. */
const DEEPEST = 8;
const FORMATS: Readonly<Record<string, string>> = {
  "date": "2026-01-01",
  "date-time": "2026-01-01T00:00:00Z",
  "time": "00:00:00Z",
  "duration": "PT1S",
  "email": "user@example.com",
  "hostname": "example.com",
  "ipv4": "127.0.0.1",
  "ipv6": "::1",
  "uri": "https://example.com/",
  "uuid": "00000000-0000-4000-8000-000000000000",
};

/** A workload file with a one-step pattern for each tool, whose arguments fit its JSON Schema. */
export function draftWorkload(tools: readonly { name: string; inputSchema: Schema }[]): string {
  const patterns = tools.map(({ name, inputSchema }) => {
    const args = argumentsFor(inputSchema);
    const step = { tool: name, ...(Object.keys(args).length === 0 ? {} : { arguments: args }) };
    return { name, weight: 1, steps: [step] };
  });
  const workload = { session: { patterns: 20 }, think: { exponential: 1 }, patterns };
  return "# Drafted by deno task workload: review arguments, weights and think times.\n" +
    `# What each field means: docs/workloads.md.\n${dump(workload, { noRefs: true })}`;
}

/** Arguments that a schema accepts: only the required ones, as simple as possible. */
export function argumentsFor(schema: Schema): Schema {
  return asSchema(valueFor(schema, schema));
}

function asSchema(value: unknown): Schema {
  return isRecord(value) ? value : {};
}

/** @param root the schema that `$ref` refers to */
function valueFor(given: unknown, root: Schema, depth = 0): unknown {
  const schema = resolve(given, root);
  if (depth > DEEPEST) return null;
  const inner = (one: unknown) => valueFor(one, root, depth + 1);
  for (const key of ["const", "default"]) if (key in schema) return schema[key];
  for (const key of ["examples", "enum"]) {
    const values = schema[key];
    if (Array.isArray(values) && values.length > 0) return values[0];
  }
  for (const key of ["anyOf", "oneOf", "allOf"]) {
    const [first] = Array.isArray(schema[key]) ? schema[key] : [];
    if (first !== undefined) return inner({ ...schema, [key]: [], ...resolve(first, root) });
  }
  const [type = "properties" in schema ? "object" : "string"] = [schema.type].flat();
  switch (type) {
    case "object": {
      const properties = asSchema(schema.properties);
      const required = [schema.required].flat().filter((name) => typeof name === "string");
      return Object.fromEntries(required.map((name) => [name, inner(properties[name])]));
    }
    case "array": {
      const length = Math.min(100, numberIn(schema, "minItems") ?? 0);
      return Array.from({ length }, () => inner(schema.items));
    }
    case "string": {
      const text = FORMATS[String(schema.format)] ?? "text";
      return text.padEnd(Math.min(10_000, numberIn(schema, "minLength") ?? 0), ".")
        .slice(0, numberIn(schema, "maxLength") ?? Infinity);
    }
    case "integer":
    case "number":
      return numberFor(schema, type);
    case "boolean":
      return false;
    default:
      return null;
  }
}

/** A number within the bounds: the lowest, or without a lower bound 1, if these are accepted. */
function numberFor(schema: Schema, type: "integer" | "number"): number {
  const step = numberIn(schema, "multipleOf") ?? (type === "integer" ? 1 : null);
  const [least = NaN, above = NaN, most = NaN, below = NaN] = BOUNDS
    .map((key) => numberIn(schema, key) ?? NaN);
  const middle = ((least || above) + (most || below)) / 2;
  const values = [least, above + (step ?? 1), 1, most, below - (step ?? 1), middle]
    .flatMap((value) =>
      step === null ? value : [Math.ceil(value / step) * step, Math.floor(value / step) * step]
    );
  // No comparison with NaN is true, so bounds that are not given refuse nothing.
  const isRefused = (value: number) =>
    value < least || value <= above || value > most || value >= below;
  return values.find((value) => Number.isFinite(value) && !isRefused(value)) ?? 1;
}

function numberIn(schema: Schema, key: string): number | null {
  const value = schema[key];
  return typeof value === "number" ? value : null;
}

/** Follows references within the schema, such as `#/$defs/point`. */
function resolve(given: unknown, root: Schema): Schema {
  let schema = asSchema(given);
  for (let hops = 0; typeof schema.$ref === "string" && hops < DEEPEST; hops++) {
    const parts = schema.$ref.replace(/^#\/?/, "").split("/").filter(Boolean)
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    schema = asSchema(parts.reduce<unknown>((value, part) => asSchema(value)[part], root));
  }
  return schema;
}
