import type { ConnectError, ConnectFailure } from "../client/connect_error.ts";
import type { Target, TargetOptions } from "../client/target.ts";
import { adviceForStatus } from "../client/upgrade_answer.ts";

type Failed =
  & Pick<TargetOptions, "protocol" | "token">
  & Pick<ConnectError, "details">
  /** True if it is one of two servers. */
  & { isOneOfTwo: boolean };

/**
 * Explains why a connection failed, and what to do.
 *
 * @param side the server, if there are two
 */
export function connectAdvice(
  { message, details, failure }: ConnectError,
  { options }: Target,
  side?: "A" | "B",
): string {
  const mayBeProxy = options.proxy && ["refused", "unknownHost", "httpStatus"].includes(failure);
  const known = ADVICE[failure];
  const advice = mayBeProxy
    ? "The proxy comes from HTTP_PROXY, HTTPS_PROXY or ALL_PROXY: is it running, and does it let " +
      "WebSockets through? To bypass it, name the server's host in NO_PROXY."
    : details.advice ??
      (typeof known === "string"
        ? known
        : known({ ...options, details, isOneOfTwo: side !== undefined }));
  return advice === "" ? message : `${message}. ${advice}`;
}

const ADVICE: Readonly<Record<ConnectFailure, string | ((one: Failed) => string)>> = {
  refused: ({ isOneOfTwo }) =>
    "Is the server running there? Start it, or " +
    (isOneOfTwo
      ? "check its address. "
      : "name its address with --url (EXAI_WS_URL, or EXAI_WS_HOST and EXAI_WS_PORT). ") +
    "If it is still starting, use --wait SECONDS.",
  unknownHost: "Check its name for a typo; it may also be one that only resolves elsewhere.",
  httpStatus: ({ details }) => adviceForStatus(details.httpStatus ?? 0),
  notWebSocket:
    "Something answers there, but it is not a WebSocket server: check the port and path.",
  tls: "Use ws:// for a server without TLS, or name its certificate authority with --ca-cert.",
  timeout: "Is a firewall in between? A slow server may need a longer --timeout.",
  noHelloAck: "Is it a server of another protocol (--protocol), or an overloaded one (--timeout)?",
  unauthorized: unauthorizedAdvice,
  connectionLimit: ({ protocol }) =>
    protocol.name === "exai"
      ? "Close other clients of this server, or raise its limits (MAX_CONNECTIONS, " +
        "MAX_CONNECTIONS_PER_IP)."
      : "Close other clients of this server, or raise its limit.",
  closed: ({ details }) =>
    BY_CLOSE_CODE.get(details.closeCode) ?? "Is it a server of another protocol (--protocol)?",
  clientLimit: "Raise it (ulimit -n 4096), or use fewer --connections.",
  aborted: "",
};

const GOING_AWAY = "The server is shutting down. Restart it; --wait SECONDS waits until it is up.";
const BY_CLOSE_CODE = new Map<number | undefined, string>([
  [1001, GOING_AWAY],
  [1012, GOING_AWAY],
  [1008, "1008 means a policy of the server: see its log, and what it requires of clients."],
  [1011, "1011 means an internal error of the server: see its log."],
]);

function unauthorizedAdvice({ protocol, token, details }: Failed): string {
  if (protocol.name !== "exai") {
    return "Give credentials with --header, such as 'Authorization: Bearer …', or in the query of its URL.";
  }
  if (details.closeReason === "jwt_required") {
    return "The server wants a JWT in the hello, which this suite does not send: switch that off.";
  }
  return token === null
    ? "Give its token in EXAI_WS_TOKEN, in the environment or in .env."
    : "The token given is not the server's: check EXAI_WS_TOKEN and .env.";
}
