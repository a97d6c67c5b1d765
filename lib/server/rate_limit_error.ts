import type { ErrorBody } from "./frames.ts";
import type { RateRefusal } from "./rate_limiter.ts";

/** The error for a refused message. The time to wait is rounded up to 0.1 s. */
export function rateLimitError(refusal: RateRefusal, clientIp: string): ErrorBody {
  const { reason } = refusal;
  const retryAfterSeconds = (Math.ceil(refusal.retryAfterSeconds * 10) / 10).toFixed(1);
  return {
    code: "OVER_CAPACITY",
    message: `Rate limit exceeded: ${reason} (retry after ${retryAfterSeconds}s)`,
    details: { reason, client_ip: clientIp },
  };
}
