/**
 * Finds out why no WebSocket opened. Deno's WebSocket reveals little, so this connects again over
 * plain TCP or TLS, to see the error of the TLS handshake and the whole HTTP answer.
 *
 * @module
 */

import { ConnectError, REFUSED } from "./connect_error.ts";
import { addressOf, redactUrl } from "./redact_url.ts";
import type { Target, TargetOptions } from "./target.ts";
import { adviceForStatus, parseAnswer, type UpgradeAnswer } from "./upgrade_answer.ts";

/** Time limit of the search, in milliseconds. */
const LOOK_MS = 3_000;
/** Maximum length of an answer. */
const MOST_BYTES = 16_384;

/** The cause, and what to do about it. */
interface Finding {
  failure: ConnectError["failure"];
  /** Follows `Cannot … ADDRESS: `. */
  cause: string;
  advice: string;
}

/**
 * Adds cause and advice to the error of a failed dial, if found within 3 s and before an interrupt;
 * not through a proxy.
 */
export async function explainDial(error: ConnectError, target: Target): Promise<ConnectError> {
  const { url, proxy, signal } = target.options;
  if (proxy || signal.aborted) return error;
  if (error.failure === "refused") return await explainRefusal(error, target);
  if (!["httpStatus", "notWebSocket", "tls"].includes(error.failure)) return error;
  const found = target.isInsecure
    ? tlsCause(error.message, target.options)
    : await findCause(target).catch(() => null);
  if (found === null) return error;
  const what = url.startsWith("wss:") && found.failure === "tls"
    ? "set up TLS with"
    : "open a WebSocket at";
  const message = `Cannot ${what} ${redactUrl(url)}: ${found.cause}`;
  return new ConnectError(found.failure, message, { ...error.details, advice: found.advice });
}

/** Says so if the connection was refused: the runtime's message is the same for every cause. */
async function explainRefusal(error: ConnectError, target: Target): Promise<ConnectError> {
  const dialling = Deno.connect(addressOf(target.options.url));
  const cause = await within(target, dialling, () => Promise.resolve(null))
    .catch((cause: unknown) => cause);
  if (!(cause instanceof Deno.errors.ConnectionRefused)) return error;
  const message = error.message.replace(/tcp connect error$/, REFUSED);
  return new ConnectError(error.failure, message, error.details);
}

async function findCause(target: Target): Promise<Finding | null> {
  const { protocol } = new URL(target.options.url);
  if (protocol === "ws:") {
    const answer = await ask(target, "plain").catch(() => null);
    const isHttp = typeof answer === "object" && answer !== null;
    if (isHttp && !/https port/i.test(answer.body)) return answerCause(answer, target);
    if (isHttp || await speaksTls(target)) {
      return {
        failure: "tls",
        cause: "the server on that port speaks TLS",
        advice: useOtherScheme(target.options.url),
      };
    }
    return answer === null || answer === "" ? null : notHttp(answer as string, target);
  }
  try {
    const answer = await ask(target, "tls");
    return typeof answer === "string" ? notHttp(answer, target) : answerCause(answer, target);
  } catch (error) {
    const { message } = error as Error;
    return tlsCause(target.foreign(message, 400), target.options);
  }
}

function notHttp(sent: string, target: Target): Finding {
  const what = sent === ""
    ? "closed the connection"
    : `sent ${JSON.stringify(target.foreign(sent))}`;
  return {
    failure: "notWebSocket",
    cause: `the server does not speak HTTP: it ${what}`,
    advice: "It is not a WebSocket server: check the port.",
  };
}

const INSECURE = "--insecure skips the check";
const RENEW = `Renew it or set the clock; ${INSECURE}.`;
const USE_ITS_NAME =
  "Use one of the certificate's subject alternative names in the URL (its common name does not " +
  `count); ${INSECURE}.`;
/** Does not apply if one was given. */
const HANDSHAKE_REFUSED =
  "the server refused the handshake, probably because it wants a client certificate";
const GIVE_CERTIFICATE = "Pass one with --client-cert FILE and --client-key FILE.";

/**
 * Cause and advice by the names of errors and alerts in the TLS library (rustls); the first match
 * wins. `$&` is the match, `$_` the whole message.
 */
const TLS_CAUSES: readonly (readonly [RegExp, cause: string, advice: string])[] = [
  [
    /UnknownIssuer/,
    "its certificate is signed by an authority unknown to this machine (UnknownIssuer)",
    `Pass that authority's certificate with --ca-cert FILE; ${INSECURE}.`,
  ],
  [
    /CaUsedAsEndEntity/,
    "its certificate is self-signed and marked as an authority's (CaUsedAsEndEntity)",
    `--ca-cert cannot trust it: let that authority sign a certificate for the server; ${INSECURE}.`,
  ],
  [/not ?valid ?yet/i, "its certificate is not valid yet by this machine's clock", RENEW],
  [/expired/i, "its certificate has expired by this machine's clock", RENEW],
  [/certificate not valid for name.*$/s, "$&", USE_ITS_NAME],
  [/NotValidForName/, "its certificate is for another name", USE_ITS_NAME],
  [/CertificateRequired/, "the server wants a client certificate", GIVE_CERTIFICATE],
  [/alert: HandshakeFailure/, HANDSHAKE_REFUSED, GIVE_CERTIFICATE],
  [
    /alert: (UnknownCA|BadCertificate|CertificateUnknown|AccessDenied|DecryptError)/,
    "the server refused the client certificate ($_)",
    "Check --client-cert: is it signed by an authority that the server trusts?",
  ],
  [/InvalidContentType|corrupt message/, "the server does not speak TLS", ""],
  [
    /ProtocolVersion|alert|certificate/i,
    "TLS failed: $_",
    "This client speaks TLS 1.2 and 1.3; --ca-cert FILE adds an authority that it trusts.",
  ],
];

/** The cause in a TLS error message; `null` if it is unknown. */
function tlsCause(
  message: string,
  { url, clientCert }: Pick<TargetOptions, "url" | "clientCert">,
): Finding | null {
  for (const [pattern, cause, advice] of TLS_CAUSES) {
    const found = pattern.exec(message)?.[0];
    if (found === undefined || (clientCert && cause === HANDSHAKE_REFUSED)) continue;
    return {
      failure: "tls",
      cause: cause.replace("$&", () => found).replace("$_", () => message),
      advice: advice || useOtherScheme(url),
    };
  }
  return null;
}

/** What is wrong with an HTTP answer to the upgrade; `null`: nothing. */
function answerCause(answer: UpgradeAnswer, target: Target): Finding | null {
  const { status, headers } = answer;
  const header = (name: string) => target.foreign(headers.get(name) ?? "");
  if (status === 101) {
    const isUpgrade = /^websocket$/i.test(headers.get("upgrade") ?? "");
    const [name, wanted] = isUpgrade ? ["Connection", "Upgrade"] : ["Upgrade", "websocket"];
    const tokens = (headers.get(name.toLowerCase()) ?? "").toLowerCase().split(/\s*,\s*/);
    const isLegal = tokens.includes(wanted.toLowerCase());
    if (isLegal && tokens.length === 1) return null;
    return {
      failure: "notWebSocket",
      cause: `the server accepts with "${name}: ${header(name.toLowerCase())}"` +
        (isLegal ? ", which is legal but rejected by this client" : ""),
      advice:
        `Deno's WebSocket accepts only "${name}: ${wanted}": make the server, or the proxy in ` +
        "front of it, send exactly that.",
    };
  }
  const from = headers.has("server") ? ` (server: ${header("server")})` : "";
  const location = headers.has("location") ? redacted(header("location")) : null;
  const to = location === null ? "" : `, redirecting to ${location}`;
  const isPlain = /json|text\/plain/.test(headers.get("content-type") ?? "");
  const said = isPlain && answer.body !== ""
    ? `, saying ${JSON.stringify(target.foreign(answer.body.trim()))}`
    : "";
  const offersSubprotocol = target.options.subprotocols.length > 0;
  return {
    failure: "httpStatus",
    cause: `the server answered HTTP ${status}${to}${from}${said}`,
    advice: adviceForStatus(status, { answer, location, offersSubprotocol }),
  };
}

function redacted(location: string): string {
  return URL.canParse(location) ? redactUrl(location) : location.replace(/\?.*$/s, "?***");
}

function useOtherScheme(url: string): string {
  const [from, to] = url.startsWith("wss:") ? ["wss:", "ws:"] : ["ws:", "wss:"];
  return `Use ${to}// instead of ${from}//: ${redactUrl(url.replace(from, to))}`;
}

function speaksTls(target: Target): Promise<boolean> {
  return onTls(target, () => Promise.resolve())
    .then(() => true, ({ message }: Error) => /peer certificate|fatal alert/.test(message));
}

/** Runs `work` on a TLS connection after its handshake. */
function onTls<T>(target: Target, work: (conn: Deno.Conn) => Promise<T>): Promise<T> {
  const { url, caCert, clientCert } = target.options;
  const caCerts = caCert === null ? [] : [caCert];
  const tls = { ...addressOf(url), caCerts, ...clientCert, alpnProtocols: ["http/1.1"] };
  return within(target, Deno.connectTls(tls), async (conn) => {
    await conn.handshake();
    return await work(conn);
  });
}

/** Sends the upgrade; an answer that is not HTTP comes back as text. */
function ask(target: Target, how: "plain" | "tls"): Promise<UpgradeAnswer | string> {
  const talk = async (conn: Deno.Conn) => {
    await conn.write(new TextEncoder().encode(upgradeRequest(target)));
    return await readAnswer(conn);
  };
  return how === "tls"
    ? onTls(target, talk)
    : within(target, Deno.connect(addressOf(target.options.url)), talk);
}

/**
 * Runs `work` on a connection within the time limit and until an interrupt, and closes it even if it
 * opens too late.
 */
async function within<C extends Deno.Conn, T>(
  target: Target,
  dialling: Promise<C>,
  work: (conn: C) => Promise<T>,
): Promise<T> {
  const { clock, timeoutMs, signal } = target.options;
  const over = Promise.withResolvers<never>();
  const stop = () => over.reject(new Error("no answer in time"));
  const cancel = clock.after(Math.min(timeoutMs, LOOK_MS), stop);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([dialling.then(work), over.promise]);
  } finally {
    cancel();
    signal.removeEventListener("abort", stop);
    dialling.then((conn) => conn[Symbol.dispose](), () => {});
  }
}

function upgradeRequest({ options: { url, headers, subprotocols } }: Target): string {
  const { host, pathname, search } = new URL(url);
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const lines = [
    `GET ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`,
    ...(subprotocols.length === 0 ? [] : [`Sec-WebSocket-Protocol: ${subprotocols.join(", ")}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Reads the head and the announced body, up to a limit. */
async function readAnswer(conn: Deno.Conn): Promise<UpgradeAnswer | string> {
  const buffer = new Uint8Array(4_096);
  let text = "";
  while (text.length < MOST_BYTES) {
    const length = await conn.read(buffer);
    if (length === null) break;
    // Byte by byte: heads are ASCII, and anything else is only quoted.
    text += String.fromCharCode(...buffer.subarray(0, length));
    if (!"HTTP/".startsWith(text.slice(0, 5)) && !text.startsWith("HTTP/")) break;
    const end = text.indexOf("\r\n\r\n");
    const wanted = Number(parseAnswer(text)?.headers.get("content-length") ?? 0);
    if (end >= 0 && text.length >= end + 4 + wanted) break;
  }
  return parseAnswer(text) ?? text.slice(0, 60);
}
