/** The subset of JSON Schema in use for tool arguments. */
export interface InputSchema {
  type: "object";
  properties: Record<string, PropertySchema>;
  required: string[];
}

export type PropertySchema =
  & { description: string }
  & (
    | { type: "string"; minLength?: 1; enum?: string[] }
    | { type: "number"; minimum: number; maximum: number }
  );

/**
 * Returns what is wrong with the first invalid argument, or `null`. Arguments that the schema does
 * not name are accepted, as in the real server.
 */
export function findArgumentError(
  schema: InputSchema,
  args: Record<string, unknown>,
): string | null {
  for (const name of schema.required) {
    if (args[name] === undefined) return `${name} is required`;
  }
  for (const name in schema.properties) {
    const value = args[name];
    if (value === undefined) continue;
    const accepted = findMismatch(schema.properties[name], value);
    if (accepted !== null) return `${name} must be ${accepted}`;
  }
  return null;
}

/** What the property accepts if the value does not fit; `null` if it fits. */
function findMismatch(schema: PropertySchema, value: unknown): string | null {
  switch (schema.type) {
    case "number": {
      const { minimum, maximum } = schema;
      const fits = typeof value === "number" && value >= minimum && value <= maximum;
      return fits ? null : `a number from ${minimum} to ${maximum}`;
    }
    case "string": {
      if (typeof value !== "string") return "a string";
      if (schema.enum && !schema.enum.includes(value)) return `one of ${schema.enum.join(", ")}`;
      return schema.minLength && value === "" ? "a text that is not empty" : null;
    }
    default:
      return schema satisfies never;
  }
}
