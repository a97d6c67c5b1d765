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
  | "aborted";

/** Details of a failed connection, where they are known. */
export interface ConnectErrorDetails {
  /** The status of a refused upgrade. */
  httpStatus?: number;
  /** How the server closed the connection. */
  closeCode?: number;
  closeReason?: string;
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
}

/**
 * Reads the cause out of the message of a WebSocket's error event, which is all that the native API
 * tells about a failed opening.
 */
export function dialError(fullUrl: string, message: string): ConnectError {
  const url = redactUrl(fullUrl);
  const status = /status code: (\d+)/.exec(message);
  if (status !== null) {
    return new ConnectError(
      "httpStatus",
      `Cannot open a WebSocket at ${url} as the server answered HTTP ${status[1]}`,
      { httpStatus: Number(status[1]) },
    );
  }
  const detail = message.replace(/^.*failed to connect to WebSocket: /, "");
  if (/dns error/i.test(message)) {
    return new ConnectError("unknownHost", `Cannot find the host of ${url}: ${detail}`);
  }
  if (/tcp connect error|connection refused/i.test(message)) {
    return new ConnectError("refused", `Cannot connect to ${url}: ${detail}`);
  }
  if (/certificate|tls|handshake|corrupt message|InvalidContentType/i.test(message)) {
    return new ConnectError("tls", `Cannot set up TLS with ${url}: ${detail}`);
  }
  return new ConnectError("notWebSocket", `Cannot open a WebSocket at ${url}: ${detail}`);
}
