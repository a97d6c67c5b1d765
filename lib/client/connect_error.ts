/** Why a connection failed. */
export type ConnectFailure =
  | "refused"
  | "unknownHost"
  | "httpStatus"
  | "notWebSocket"
  | "tls"
  | "timeout"
  | "noHelloAck"
  | "unauthorized"
  | "connectionLimit"
  | "closed"
  /** This process is out of file descriptors; the server is not at fault. */
  | "clientLimit"
  | "aborted";

/** Details of a failed connection, where known. */
export interface ConnectErrorDetails {
  /** Of a refused upgrade. */
  httpStatus?: number;
  closeCode?: number;
  closeReason?: string;
  /** What to do about it, if a closer look has found that out. */
  advice?: string | undefined;
}

/** A connection that could not be opened, or was refused during its handshake. */
export class ConnectError extends Error {
  override name = "ConnectError";
  readonly failure: ConnectFailure;
  readonly details: ConnectErrorDetails;

  constructor(failure: ConnectFailure, message: string, details: ConnectErrorDetails = {}) {
    super(message);
    this.failure = failure;
    this.details = details;
  }

  /** True if a reachable server refused another connection, by a close or an HTTP status. */
  get isRefusal(): boolean {
    if (this.failure === "unauthorized") return false;
    return this.failure === "httpStatus" || this.details.closeCode !== undefined;
  }
}

/** True if this process, not the server, prevents further connections. */
export function isOwnLimit(error: unknown): boolean {
  return error instanceof ConnectError && error.failure === "clientLimit";
}

/** The cause if nothing listens at an address. */
export const REFUSED = "connection refused";

/**
 * Finds the cause in the message of a WebSocket's error event, the only information Deno gives.
 *
 * @param where the address without secrets
 */
export function dialError(where: string, message: string): ConnectError {
  const status = /status code: (\d+)/.exec(message)?.[1];
  if (status !== undefined) {
    const text = `Cannot open a WebSocket at ${where}: the server answered HTTP ${status}`;
    return new ConnectError("httpStatus", text, { httpStatus: Number(status) });
  }
  const detail = message.replace(/^.*failed to connect to WebSocket: /, "");
  const isName = /dns error|ENOTFOUND/i.test(message);
  // Without free descriptors, Deno reports "tcp open error", or "dns error" if the lookup fails
  // first.
  if (/tcp open error|os error 24/i.test(message) || (isName && isFull())) {
    return new ConnectError(
      "clientLimit",
      `Cannot open another connection to ${where}: this client, not the server, is at its limit of ` +
        `open files (ulimit -n): ${detail}`,
    );
  }
  if (isName) return new ConnectError("unknownHost", `Cannot find the host of ${where}: ${detail}`);
  if (/tcp connect error|connection refused|ECONNREFUSED|proxy server unreachable/i.test(message)) {
    const isRefused = /connection refused|ECONNREFUSED/i.test(message) && !/proxy/i.test(message);
    return new ConnectError(
      "refused",
      `Cannot connect to ${where}: ${isRefused ? REFUSED : detail}`,
    );
  }
  if (/certificate|tls|handshake|corrupt message|InvalidContentType|fatal alert/i.test(message)) {
    return new ConnectError("tls", `Cannot set up TLS with ${where}: ${detail}`);
  }
  return new ConnectError("notWebSocket", `Cannot open a WebSocket at ${where}: ${detail}`);
}

/** True if this process cannot open another socket. */
function isFull(): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port: 0 }).close();
    return false;
  } catch (error) {
    return (error as { code?: string }).code === "EMFILE";
  }
}
