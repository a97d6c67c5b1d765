/**
 * Why no WebSocket opened: the runtime keeps most of it to itself, so that one more connection is made by hand, which
 * shows the TLS handshake's own error and the HTTP answer with its headers.
 *
 * @module
 */

import { ConnectError } from "./connect_error.ts";
import { addressOf, redactUrl } from "./redact_url.ts";
import type { Target, TargetOptions } from "./target.ts";
import { adviceForStatus, parseAnswer, type UpgradeAnswer } from "./upgrade_answer.ts";

/** How long the look may take, in milliseconds. */
const LOOK_MS = 3_000;
/** More of an answer is not read. */
const MOST_BYTES = 16_384;

/** What was found, and what to do about it. */
interface Finding {
  failure: ConnectError["failure"];
  /** The rest of a sentence that begins with the address. */
  cause: string;
  advice: string;
}

/**
 * Looks for the cause of a failed dial, and gives an error that names it with what to do; the error itself where there
 * is nothing to find, or a proxy in between.
 */
export async function explainDial(error: ConnectError, target: Target): Promise<ConnectError> {
  const { url, proxy } = target.options;
  if (!["httpStatus", "notWebSocket", "tls"].includes(error.failure) || proxy) return error;
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

async function findCause(target: Target): Promise<Finding | null> {
  const { protocol } = new URL(target.options.url);
  if (protocol === "ws:") {
    const answer = await ask(target, "plain").catch(() => null);
    const isHttp = typeof answer === "object" && answer !== null;
    if (isHttp && !/https port/i.test(answer.body)) return answerCause(answer, target);
    if (isHttp || await speaksTls(target)) {
      return {
        failure: "tls",
        cause: "the server there speaks TLS",
        advice: `Try wss:// in place of ws://: --url ${redactUrl(otherScheme(target.options.url))}`,
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
    cause: `what answers there does not speak HTTP: it ${what}`,
    advice: "It is not a WebSocket server: look at the port.",
  };
}

const INSECURE = "--insecure skips the check";
const RENEW = `Renew it, or set the clock; ${INSECURE}.`;
const USE_ITS_NAME =
  "Use a name in --url that the certificate has as a subject alternative name (its common name does not " +
  `count); ${INSECURE}.`;
/** Of no help to who has given one. */
const HANDSHAKE_REFUSED =
  "the server refused the handshake, as those do that want a client certificate";
const GIVE_CERTIFICATE = "Give one with --client-cert FILE and --client-key FILE.";

/**
 * What failed TLS handshakes mean, by the names that the TLS library (rustls) has for its errors and for alerts: cause and
 * advice; the first that fits holds. `$&` is what was found, `$_` the whole message.
 */
const TLS_CAUSES: readonly (readonly [RegExp, cause: string, advice: string])[] = [
  [
    /UnknownIssuer/,
    "its certificate is signed by an authority that this machine does not know (UnknownIssuer)",
    `Name that authority's certificate with --ca-cert FILE; ${INSECURE}.`,
  ],
  [
    /CaUsedAsEndEntity/,
    "its certificate is self-signed, and marked as an authority's own (CaUsedAsEndEntity)",
    `It cannot be trusted by --ca-cert: sign a certificate for the server with it, or ${INSECURE}.`,
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
    "Is it signed by an authority that the server knows? Look at --client-cert.",
  ],
  [/InvalidContentType|corrupt message/, "the server there does not speak it", ""],
  [
    /ProtocolVersion|alert|certificate/i,
    "TLS failed: $_",
    "This client speaks TLS 1.2 and 1.3; a certificate of your own is named with --ca-cert.",
  ],
];

/** `null`: the message says nothing that is known. */
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
      advice: advice || `Try ws:// in place of wss://: --url ${redactUrl(otherScheme(url))}`,
    };
  }
  return null;
}

/** What an HTTP answer to the upgrade means; `null`: nothing is wrong with it. */
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
        (isLegal ? ", which is legal, but this client is too strict here" : ""),
      advice:
        `Deno's WebSocket takes "${name}: ${wanted}" alone: have the server, or the proxy before it, ` +
        "send just that.",
    };
  }
  const from = headers.has("server") ? ` (server: ${header("server")})` : "";
  const location = headers.has("location") ? redacted(header("location")) : null;
  const isPlain = /json|text\/plain/.test(headers.get("content-type") ?? "");
  const said = isPlain && answer.body !== ""
    ? `, saying ${JSON.stringify(target.foreign(answer.body.trim()))}`
    : "";
  const offersSubprotocol = target.options.subprotocols.length > 0;
  return {
    failure: "httpStatus",
    cause: `the server answered HTTP ${status}${
      location === null ? "" : ` to ${location}`
    }${from}${said}`,
    advice: adviceForStatus(status, { answer, location, offersSubprotocol }),
  };
}

function redacted(location: string): string {
  return URL.canParse(location) ? redactUrl(location) : location.replace(/\?.*$/s, "?***");
}

function otherScheme(url: string): string {
  return url.startsWith("wss:") ? url.replace("wss:", "ws:") : url.replace("ws:", "wss:");
}

function speaksTls(target: Target): Promise<boolean> {
  return onTls(target, () => Promise.resolve())
    .then(() => true, ({ message }: Error) => /peer certificate|fatal alert/.test(message));
}

/** Works on a TLS connection whose handshake is done. */
function onTls<T>(target: Target, work: (conn: Deno.Conn) => Promise<T>): Promise<T> {
  const { url, caCert, clientCert } = target.options;
  const caCerts = caCert === null ? [] : [caCert];
  const tls = { ...addressOf(url), caCerts, ...clientCert, alpnProtocols: ["http/1.1"] };
  return within(target, Deno.connectTls(tls), async (conn) => {
    await conn.handshake();
    return await work(conn);
  });
}

/** Sends the upgrade by hand. What is not HTTP comes back as text. */
function ask(target: Target, how: "plain" | "tls"): Promise<UpgradeAnswer | string> {
  const talk = async (conn: Deno.Conn) => {
    await conn.write(new TextEncoder().encode(upgradeRequest(target)));
    return await readAnswer(conn);
  };
  return how === "tls"
    ? onTls(target, talk)
    : within(target, Deno.connect(addressOf(target.options.url)), talk);
}

/** Works on a connection for a while, and closes it, though it may open too late. */
async function within<C extends Deno.Conn, T>(
  target: Target,
  dialling: Promise<C>,
  work: (conn: C) => Promise<T>,
): Promise<T> {
  const { clock, timeoutMs } = target.options;
  const over = Promise.withResolvers<never>();
  const limitMs = Math.min(timeoutMs, LOOK_MS);
  const cancel = clock.after(limitMs, () => over.reject(new Error("no answer in time")));
  try {
    return await Promise.race([dialling.then(work), over.promise]);
  } finally {
    cancel();
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

/** Reads the head, and as much of the body as it announces, up to a limit. */
async function readAnswer(conn: Deno.Conn): Promise<UpgradeAnswer | string> {
  const buffer = new Uint8Array(4_096);
  let text = "";
  while (text.length < MOST_BYTES) {
    const length = await conn.read(buffer);
    if (length === null) break;
    // Bytes as they are: a head is ASCII, and what is none is only shown.
    text += String.fromCharCode(...buffer.subarray(0, length));
    if (!"HTTP/".startsWith(text.slice(0, 5)) && !text.startsWith("HTTP/")) break;
    const end = text.indexOf("\r\n\r\n");
    const wanted = Number(parseAnswer(text)?.headers.get("content-length") ?? 0);
    if (end >= 0 && text.length >= end + 4 + wanted) break;
  }
  return parseAnswer(text) ?? text.slice(0, 60);
}
