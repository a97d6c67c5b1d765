/** The head of an HTTP answer, with the beginning of its body. */
export interface UpgradeAnswer {
  status: number;
  /** By lower-case name; values of repeated headers are joined by a comma. */
  headers: ReadonlyMap<string, string>;
  body: string;
}

/** Parses an HTTP answer, complete or not; `null` if it is not HTTP. */
export function parseAnswer(text: string): UpgradeAnswer | null {
  const status = /^HTTP\/\d(?:\.\d)? (\d{3})/.exec(text)?.[1];
  if (status === undefined) return null;
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const headers = new Map<string, string>();
  for (const line of head.split("\r\n").slice(1)) {
    const [, name, value] = /^([^:]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const before = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`);
  }
  return { status: Number(status), headers, body: rest.join("\r\n\r\n") };
}

const DROPPED =
  "Does a proxy in between drop the upgrade (nginx: proxy_http_version 1.1; proxy_set_header " +
  'Upgrade $http_upgrade; proxy_set_header Connection "upgrade")?';

/** What to do about an upgrade that was answered with a status. */
export function adviceForStatus(
  status: number,
  { answer, location = null, offersSubprotocol = false }: {
    answer?: UpgradeAnswer;
    /** Target of a redirect, without secrets. */
    location?: string | null;
    offersSubprotocol?: boolean;
  } = {},
): string {
  const header = (name: string) => answer?.headers.get(name) ?? "";
  if (status >= 300 && status < 400) {
    const address = location?.replace(/^http/i, "ws") ?? "the new address";
    return `Redirects are not followed: use ${address} as the URL.`;
  }
  const seconds = header("retry-after");
  const wait = /^\d+$/.test(seconds) ? `wait ${seconds} s, ` : "";
  const gateway = (failure: string) =>
    `A gateway answered, but the server behind it ${failure}: check that server. ` +
    "If it is still starting, add --wait SECONDS.";
  switch (status) {
    case 400:
      return offersSubprotocol || !/protocol/i.test(answer?.body ?? "")
        ? `Is the path in the URL right? Does the server want a --subprotocol? ${DROPPED}`
        : "It wants a subprotocol: pass one that it supports with --subprotocol, such as mcp.";
    case 401:
    case 403:
      return "It may want credentials (--header 'Authorization: …') or a known Origin (--header " +
        "'Origin: …').";
    case 404:
      return "Check the path in the URL.";
    case 407:
      return "A proxy in between wants credentials.";
    case 426: {
      const versions = header("sec-websocket-version");
      return versions !== "" && !/\b13\b/.test(versions)
        ? "It does not speak version 13 of the WebSocket protocol, the only one supported here."
        : `It did not see the upgrade, or is not a WebSocket server. ${DROPPED}`;
    }
    case 429:
      return `It limits connections or requests: ${wait}use fewer --connections or raise its limit.`;
    case 502:
      return gateway("is not running, or broke off");
    case 504:
      return gateway("did not answer in time");
    case 503:
      return "It, or the server behind its gateway, is starting, overloaded or at its connection " +
        `limit: ${wait}try later, or add --wait SECONDS.`;
    default:
      return status >= 500
        ? "Its upgrade handler failed: check the server's log."
        : `It is not a WebSocket server, or not at this path. ${DROPPED}`;
  }
}
