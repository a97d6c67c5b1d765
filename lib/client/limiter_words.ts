/** Whose budget of calls is used up. */
export type LimitOwner = "session" | "ip";

/** The seconds after which to call again, in the server's own words; `null`: it does not say. */
export function readRetryAfter(message: string): number | null {
  const [, amount, unit] = /retry[- _]?after\W*(\d+(?:\.\d+)?)\s*(ms|milli)?/i.exec(message) ?? [];
  const seconds = Number(amount) / (unit === undefined ? 1 : 1000);
  return seconds > 0 ? seconds : null;
}

/** Whose limit it was, as in `user_rate_limit_exceeded` and `ip_rate_limit_exceeded`; `null`: it does not say. */
export function readLimitOwner(message: string): LimitOwner | null {
  if (/(?:^|[^a-z])ip(?:_|\b)/i.test(message)) return "ip";
  return /(?:^|[^a-z])(?:user|session)_/i.test(message) ? "session" : null;
}
