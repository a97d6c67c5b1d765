/** What stands in a report in the place of a secret. */
const MASK = "***";

/** A shorter secret would be found in innocent text too. */
const SHORTEST_SECRET = 6;

/** Options whose value is secret, or may be. */
const SECRET_OPTIONS = ["--token", "--header"];

/**
 * Replaces every occurrence of the secrets in the strings of a value, however deep: a server may say
 * what it was told.
 */
export function maskSecrets<T>(value: T, secrets: readonly string[]): T {
  const long = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
  return long.length === 0 ? value : maskIn(value, long) as T;
}

function maskIn(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === "string") {
    return secrets.reduce((text, secret) => text.replaceAll(secret, MASK), value);
  }
  if (Array.isArray(value)) return value.map((item) => maskIn(item, secrets));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [maskIn(key, secrets), maskIn(item, secrets)]),
  );
}

/** The arguments of a command without the values of secret options, and without secret parts of URLs. */
export function maskCommand(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const previous = args[index - 1] ?? "";
    if (SECRET_OPTIONS.includes(previous)) return MASK;
    const [option = ""] = arg.split("=", 1);
    if (SECRET_OPTIONS.includes(option) && arg.includes("=")) return `${option}=${MASK}`;
    return arg.replace(/(wss?:\/\/)[^/@\s]*@/, `$1${MASK}@`).replace(
      /(wss?:\/\/[^?\s]*\?).*/,
      `$1${MASK}`,
    );
  });
}
