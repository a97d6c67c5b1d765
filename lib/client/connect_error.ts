import { redactUrl } from "./redact_url.ts";

/** Why a connection could not be made. */
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
  /** This process may open no more files: nothing that the server did. */
  | "clientLimit"
  | "aborted";

/** Details of a failed connection, where they are known. */
export interface ConnectErrorDetails {
  /** The status of a refused upgrade. */
  httpStatus?: number;
  /** How the server closed the connection. */
  closeCode?: number;
  closeReason?: string;
  /** What to do about it, where a look at the connection has found that out. */
  advice?: string;
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

  /** Did a server that can be reached say no to one more connection, by a close or an HTTP status? */
  get isRefusal(): boolean {
    if (this.failure === "unauthorized") return false;
    return this.failure === "httpStatus" || this.details.closeCode !== undefined;
  }
}

/** Does an error say that this process may open no more connections, whatever the server does? */
export function isOwnLimit(error: unknown): boolean {
  return error instanceof ConnectError && error.failure === "clientLimit";
}

/** What a dial failed at. */
export interface Dialled {
  url: string;
  /** The proxy that the runtime goes through, without its password. */
  proxy?: string | null;
}

/**
 * Reads the cause out of the message of a WebSocket's error event, which is all that the native API
 * tells about a failed opening.
 */
export function dialError(dialled: Dialled, message: string): ConnectError {
  const url = whereTo(dialled);
  const status = /status code: (\d+)/.exec(message)?.[1];
  if (status !== undefined) {
    const text = `Cannot open a WebSocket at ${url} as the server answered HTTP ${status}`;
    return new ConnectError("httpStatus", text, { httpStatus: Number(status) });
  }
  const detail = message.replace(/^.*failed to connect to WebSocket: /, "");
  const isName = /dns error|ENOTFOUND/i.test(message);
  // The runtime names neither: a socket that cannot be made is "tcp open error", and a name that cannot be looked up
  // for the lack of one a "dns error".
  if (/tcp open error|os error 24/i.test(message) || (isName && isFull())) {
    return new ConnectError(
      "clientLimit",
      `Cannot open one more connection to ${url} as this process may open no more files (${detail}): ` +
        "that is this client's limit (ulimit -n), not the server's",
    );
  }
  if (isName) return new ConnectError("unknownHost", `Cannot find the host of ${url}: ${detail}`);
  if (/tcp connect error|connection refused|ECONNREFUSED|proxy server unreachable/i.test(message)) {
    return new ConnectError("refused", `Cannot connect to ${url}: ${detail}`);
  }
  if (/certificate|tls|handshake|corrupt message|InvalidContentType|fatal alert/i.test(message)) {
    return new ConnectError("tls", `Cannot set up TLS with ${url}: ${detail}`);
  }
  return new ConnectError("notWebSocket", `Cannot open a WebSocket at ${url}: ${detail}`);
}

/** The address without what may be secret, and what lies before it. */
export function whereTo({ url, proxy = null }: Dialled): string {
  return redactUrl(url) + (proxy === null ? "" : ` through the proxy ${proxy}`);
}

/** Can this process open no more sockets? */
function isFull(): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port: 0 }).close();
    return false;
  } catch (error) {
    return (error as { code?: string }).code === "EMFILE";
  }
}
