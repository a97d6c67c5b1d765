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
  // The longest first: one that begins as another would leave its rest.
  const long = secrets.filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length);
  if (long.length === 0) return value;
  return maskIn(value, new RegExp(long.map((secret) => RegExp.escape(secret)).join("|"), "g")) as T;
}

/** Fields whose text is the suite's own: with it masked, a report could not be read again. */
const OWN_FIELDS = ["status", "kind", "name", "scenario", "unit", "better", "profile", "protocol"];

function maskIn(value: unknown, secrets: RegExp): unknown {
  if (typeof value === "string") return value.replace(secrets, MASK);
  if (Array.isArray(value)) return value.map((item) => maskIn(item, secrets));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (OWN_FIELDS.includes(key) && typeof item === "string") return [key, item];
      return [key, key === "errorCodes" ? maskKeys(item, secrets) : maskIn(item, secrets)];
    }),
  );
}

/** Counts by names that a server gave; those that become the same are added up. */
function maskKeys(counts: Record<string, number>, secrets: RegExp): Record<string, number> {
  const masked: Record<string, number> = {};
  for (const [name, count] of Object.entries(counts)) {
    const shown = name.replace(secrets, MASK);
    masked[shown] = (masked[shown] ?? 0) + count;
  }
  return masked;
}

/**
 * A URL without user, password, query and fragment, rather too little of it than too much: the text may
 * be no URL at all.
 */
export function maskUrl(text: string): string {
  const [, scheme = "", rest = ""] = /^(\s*wss?:[\\/]*)?(.*)$/is.exec(text) ?? [];
  const [place = ""] = rest.split(/[?#]/, 1);
  // Behind a ? or # an @ may still end a password, or be in the middle of a secret.
  if (rest.includes("@", place.length)) return scheme + MASK;
  const tail = place === rest ? "" : rest[place.length] + MASK;
  return scheme + place.replace(/.*@/s, `${MASK}@`) + tail;
}

/** What may be secret in a URL, as it stands there and decoded. */
export function urlSecrets(url: string): string[] {
  const { username, password, search, searchParams } = new URL(url);
  const texts = [username, password, search.slice(1), ...searchParams.values()];
  return texts.flatMap((text) => [text, unescapePercents(text)]);
}

function unescapePercents(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The arguments of a command without the values of secret options, and without secret parts of URLs. */
export function maskCommand(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const previous = args[index - 1] ?? "";
    if (SECRET_OPTIONS.includes(previous)) return MASK;
    const [option = ""] = arg.split("=", 1);
    if (SECRET_OPTIONS.includes(option) && arg.includes("=")) return `${option}=${MASK}`;
    if (previous === "--url") return maskUrl(arg);
    if (arg.startsWith("--url=")) return `--url=${maskUrl(arg.slice("--url=".length))}`;
    return arg;
  });
}
