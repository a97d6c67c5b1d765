/**
 * A workload file from what a server says of its tools.
 *
 * @module
 */

import { dump } from "js-yaml";

/** A tool to call, and the JSON Schema of its arguments. */
export interface DraftedTool {
  name: string;
  inputSchema: Record<string, unknown>;
}

type Schema = Record<string, unknown>;

/** Schemas may hold each other. */
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

/** The text of a workload file with a pattern of one step for each tool. */
export function draftWorkload(tools: readonly DraftedTool[]): string {
  const patterns = tools.map(({ name, inputSchema }) => {
    const args = argumentsFor(inputSchema);
    const step = { tool: name, ...(Object.keys(args).length === 0 ? {} : { arguments: args }) };
    return { name, weight: 1, steps: [step] };
  });
  const workload = { session: { patterns: 20 }, think: { exponential: 1 }, patterns };
  return "# Drafted by deno task workload: look at the arguments, weights and times to think.\n" +
    `# What each field means: docs/workloads.md.\n${dump(workload, { noRefs: true })}`;
}

/** Arguments that a schema accepts: only what it requires, as simple as it allows. */
export function argumentsFor(schema: Schema): Record<string, unknown> {
  const value = valueFor(schema, { root: schema, depth: 0 });
  return isSchema(value) ? value : {};
}

interface Place {
  /** Where `$ref` looks. */
  root: Schema;
  depth: number;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueFor(given: unknown, { root, depth }: Place): unknown {
  const schema = resolve(given, root);
  if (depth > DEEPEST) return null;
  const inner = { root, depth: depth + 1 };
  for (const key of ["const", "default"]) if (key in schema) return schema[key];
  for (const key of ["examples", "enum"]) {
    const values = schema[key];
    if (Array.isArray(values) && values.length > 0) return values[0];
  }
  for (const key of ["anyOf", "oneOf", "allOf"]) {
    const [first] = Array.isArray(schema[key]) ? schema[key] : [];
    if (first !== undefined) {
      return valueFor({ ...schema, [key]: [], ...resolve(first, root) }, inner);
    }
  }
  const [type] = [schema.type].flat();
  switch (type ?? ("properties" in schema ? "object" : "string")) {
    case "object":
      return objectFor(schema, inner);
    case "array":
      return Array.from(
        { length: Math.min(100, numberIn(schema, "minItems") ?? 0) },
        () => valueFor(schema.items, inner),
      );
    case "string":
      return textFor(schema);
    case "integer":
    case "number":
      return numberFor(schema);
    case "boolean":
      return false;
    default:
      return null;
  }
}

function objectFor({ properties, required }: Schema, inner: Place): Record<string, unknown> {
  const names = Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
  return Object.fromEntries(
    names.map((name) => [name, valueFor(isSchema(properties) ? properties[name] : {}, inner)]),
  );
}

function textFor(schema: Schema): string {
  const text = FORMATS[String(schema.format)] ?? "text";
  const longest = numberIn(schema, "maxLength") ?? Infinity;
  return text.padEnd(Math.min(10_000, numberIn(schema, "minLength") ?? 0), ".").slice(0, longest);
}

/** The least, or 1 where that is in the range. */
function numberFor(schema: Schema): number {
  const multiple = numberIn(schema, "multipleOf");
  const above = numberIn(schema, "exclusiveMinimum");
  const least = numberIn(schema, "minimum") ?? (above === null ? null : above + (multiple ?? 1));
  const value = least ?? Math.min(multiple ?? 1, numberIn(schema, "maximum") ?? Infinity);
  return multiple === null ? value : Math.ceil(value / multiple) * multiple;
}

function numberIn(schema: Schema, key: string): number | null {
  const value = schema[key];
  return typeof value === "number" ? value : null;
}

/** Follows references within the schema, such as `#/$defs/point`. */
function resolve(given: unknown, root: Schema): Schema {
  let schema = isSchema(given) ? given : {};
  for (let hops = 0; typeof schema.$ref === "string" && hops < DEEPEST; hops++) {
    const parts = schema.$ref.replace(/^#\/?/, "").split("/").filter(Boolean);
    const found = parts.reduce<unknown>(
      (value, part) =>
        isSchema(value) ? value[part.replaceAll("~1", "/").replaceAll("~0", "~")] : {},
      root,
    );
    schema = isSchema(found) ? found : {};
  }
  return schema;
}
