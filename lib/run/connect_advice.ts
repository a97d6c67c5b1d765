import type { ConnectError } from "../client/connect_error.ts";
import type { Target } from "../client/target.ts";
import { adviceForStatus } from "../client/upgrade_answer.ts";

/** The cause of a failed connection, with what to do about it. */
export function connectAdvice(error: ConnectError, target: Target): string {
  const { message, details, failure } = error;
  const isBetween = target.options.proxy &&
    ["refused", "unknownHost", "httpStatus"].includes(failure);
  const advice = isBetween
    ? "The proxy is taken from HTTP_PROXY, HTTPS_PROXY or ALL_PROXY: does it run, and let WebSockets " +
      "through? Without it: name the server's host in NO_PROXY."
    : details.advice ?? adviceFor(error, target);
  return advice === "" ? message : `${message}. ${advice}`;
}

function adviceFor({ failure, details }: ConnectError, target: Target): string {
  switch (failure) {
    case "refused":
      return "Is the server running there? Start it, or name its address with --url (EXAI_WS_URL, " +
        "or EXAI_WS_HOST and EXAI_WS_PORT). One that is still starting: --wait SECONDS.";
    case "unknownHost":
      return "Look for a typo in --url, or for a name that only resolves elsewhere.";
    case "httpStatus":
      return adviceForStatus(details.httpStatus ?? 0);
    case "notWebSocket":
      return "Something answers there, but it is not a WebSocket server: look at the port and path.";
    case "tls":
      return "Use ws:// for a server without TLS, or name its certificate authority with --ca-cert.";
    case "timeout":
      return "Is a firewall in between? A slow server may need a longer --timeout.";
    case "noHelloAck":
      return "Is it a server of another protocol (--protocol), or an overloaded one (--timeout)?";
    case "unauthorized":
      return unauthorizedAdvice(details.closeReason, target);
    case "connectionLimit":
      return target.options.protocol.name === "exai"
        ? "Close other clients of this server, or raise its limits (MAX_CONNECTIONS, " +
          "MAX_CONNECTIONS_PER_IP)."
        : "Close other clients of this server, or raise its limit.";
    case "closed":
      return closedAdvice(details.closeCode);
    case "clientLimit":
      return "Raise it (ulimit -n 4096), or use fewer --connections.";
    case "aborted":
      return "";
    default:
      return failure satisfies never;
  }
}

function unauthorizedAdvice(reason: string | undefined, { options }: Target): string {
  if (options.protocol.name !== "exai") {
    return "Give what it wants with --header, such as 'Authorization: Bearer …', or in the query of --url.";
  }
  if (reason === "jwt_required") {
    return "The server wants a JWT in its hello, which this suite does not send: switch that off.";
  }
  return options.token === null
    ? "Give its token in EXAI_WS_TOKEN, in the environment or in .env."
    : "The token given is not the server's: look at EXAI_WS_TOKEN and .env.";
}

function closedAdvice(code = 0): string {
  if (code === 1001 || code === 1012) {
    return "It is going away: start it again; --wait SECONDS waits for it.";
  }
  if (code === 1008) {
    return "1008 is for a policy of the server's: look at its log, or at what it wants to know.";
  }
  if (code === 1011) return "It failed within: look at its log.";
  return "Is it a server of another protocol (--protocol)?";
}
