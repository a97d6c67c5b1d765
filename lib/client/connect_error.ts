import { redactUrl } from "./redact_url.ts";

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

/** Address of a failed dial. */
export interface Dialled {
  url: string;
  /** The proxy used by the runtime, without its password. */
  proxy?: string | null;
}

/** The cause if nothing listens at an address. */
export const REFUSED = "connection refused";

/** Finds the cause in the message of a WebSocket's error event, the only information Deno gives. */
export function dialError(dialled: Dialled, message: string): ConnectError {
  const url = whereTo(dialled);
  const status = /status code: (\d+)/.exec(message)?.[1];
  if (status !== undefined) {
    const text = `Cannot open a WebSocket at ${url}: the server answered HTTP ${status}`;
    return new ConnectError("httpStatus", text, { httpStatus: Number(status) });
  }
  const detail = message.replace(/^.*failed to connect to WebSocket: /, "");
  const isName = /dns error|ENOTFOUND/i.test(message);
  // Without free descriptors, Deno reports "tcp open error", or "dns error" if the lookup fails
  // first.
  if (/tcp open error|os error 24/i.test(message) || (isName && isFull())) {
    return new ConnectError(
      "clientLimit",
      `Cannot open another connection to ${url}: this client, not the server, is at its limit of ` +
        `open files (ulimit -n): ${detail}`,
    );
  }
  if (isName) return new ConnectError("unknownHost", `Cannot find the host of ${url}: ${detail}`);
  if (/tcp connect error|connection refused|ECONNREFUSED|proxy server unreachable/i.test(message)) {
    const isRefused = /connection refused|ECONNREFUSED/i.test(message) && !/proxy/i.test(message);
    return new ConnectError("refused", `Cannot connect to ${url}: ${isRefused ? REFUSED : detail}`);
  }
  if (/certificate|tls|handshake|corrupt message|InvalidContentType|fatal alert/i.test(message)) {
    return new ConnectError("tls", `Cannot set up TLS with ${url}: ${detail}`);
  }
  return new ConnectError("notWebSocket", `Cannot open a WebSocket at ${url}: ${detail}`);
}

/** The address without secrets, with the proxy if there is one. */
export function whereTo({ url, proxy = null }: Dialled): string {
  return redactUrl(url) + (proxy === null ? "" : ` through the proxy ${proxy}`);
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
