/** Whose call budget is used up. */
export type LimitOwner = "session" | "ip";

/** Reads after how many seconds the server asks to retry; `null` if it does not say. */
export function readRetryAfter(message: string): number | null {
  const [, amount, unit] = /retry[- _]?after\W*(\d+(?:\.\d+)?)\s*(ms|milli)?/i.exec(message) ?? [];
  const seconds = Number(amount) / (unit === undefined ? 1 : 1000);
  return seconds > 0 ? seconds : null;
}

/** Reads whose limit it was, as in `ip_rate_limit_exceeded`; `null` if the server does not say. */
export function readLimitOwner(message: string): LimitOwner | null {
  if (/(?:^|[^a-z])ip(?:_|\b)/i.test(message)) return "ip";
  return /(?:^|[^a-z])(?:user|session)_/i.test(message) ? "session" : null;
}
