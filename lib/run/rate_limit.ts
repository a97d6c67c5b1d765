/** Says once, as the cause, that and where a rate limiter began to refuse calls, and the ways out. */
export function describeRateLimit(limit: { atCall: number; message: string }): string {
  return `The server's rate limiter refused calls from message ${limit.atCall} of the session on ` +
    `(warm-up included): "${limit.message}". Raise the server's limits, or stay under them with ` +
    `--max-rate.`;
}
