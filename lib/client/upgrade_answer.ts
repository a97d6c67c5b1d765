/** The head of an HTTP answer, with the beginning of its body. */
export interface UpgradeAnswer {
  status: number;
  /** By lower-case name; the values of repeated ones are joined by a comma. */
  headers: ReadonlyMap<string, string>;
  body: string;
}

/** The parts of an HTTP answer, or as many of them as have come; `null` for what is not HTTP. */
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

/** What is known beside the status. */
export interface StatusContext {
  answer?: UpgradeAnswer;
  /** Where it redirects to, without what may be secret. */
  location?: string | null;
  offersSubprotocol?: boolean;
}

const DROPPED =
  "does a proxy in between drop the upgrade (nginx: proxy_http_version 1.1; proxy_set_header Upgrade " +
  '$http_upgrade; proxy_set_header Connection "upgrade")?';

/** What to do about an upgrade that was answered with a status. */
export function adviceForStatus(
  status: number,
  { answer, location = null, offersSubprotocol = false }: StatusContext = {},
): string {
  const header = (name: string) => answer?.headers.get(name) ?? "";
  if (status >= 300 && status < 400) {
    const address = location?.replace(/^http/i, "ws");
    return address === undefined
      ? "Redirects are not followed: give the address that it redirects to with --url."
      : `Redirects are not followed: give that address, as ${address}, with --url.`;
  }
  const seconds = header("retry-after");
  const wait = /^\d+$/.test(seconds) ? `wait ${seconds} s, ` : "";
  const gateway = (fails: string) =>
    `A gateway answers, but the server that it passes connections on to does ${fails}: look at that one. ` +
    "One that is still starting is waited for with --wait SECONDS.";
  switch (status) {
    case 400:
      return offersSubprotocol || !/protocol/i.test(answer?.body ?? "")
        ? `Is the path in --url right, does the server want a --subprotocol, or ${DROPPED}`
        : "It wants a subprotocol: name one that it knows with --subprotocol, such as mcp.";
    case 401:
    case 403:
      return "Does it want a --header, such as Authorization, or an Origin that it knows?";
    case 404:
      return "Look at the path in --url.";
    case 407:
      return "A proxy in between wants credentials.";
    case 426:
      return /^(?!.*\b13\b)./s.test(header("sec-websocket-version"))
        ? "It speaks another version of the WebSocket protocol than 13, which is the only one here."
        : `It did not see the upgrade, or is not a WebSocket server: ${DROPPED}`;
    case 429:
      return `It limits connections or requests: ${wait}use fewer --connections, or raise the limit.`;
    case 502:
      return gateway("not run there, or broke off");
    case 504:
      return gateway("not answer in time");
    case 503:
      return "It, or the server after a gateway, is starting, overloaded, or at a limit of connections: " +
        `${wait}try later, or --wait SECONDS.`;
    default:
      return status >= 500
        ? "Its upgrade fails: look at the server's log."
        : `It is not a WebSocket server, or not at this path; or ${DROPPED}`;
  }
}
