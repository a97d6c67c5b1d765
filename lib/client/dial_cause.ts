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
  return new ConnectError(
    found.failure,
    `Cannot ${what} ${redactUrl(url)}: ${found.cause}`,
    {
      ...error.details,
      advice: found.advice,
    },
  );
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

/**
 * What a failed TLS handshake means.
 *
 * @param message the TLS library's (rustls): the names of its errors and of alerts
 */
export function tlsCause(
  message: string,
  { url, clientCert }: Pick<TargetOptions, "url" | "clientCert">,
): Finding | null {
  const insecure = "--insecure skips the check";
  const finding = (cause: string, advice: string): Finding => ({ failure: "tls", cause, advice });
  if (/UnknownIssuer/.test(message)) {
    return finding(
      "its certificate is signed by an authority that this machine does not know (UnknownIssuer)",
      `Name that authority's certificate with --ca-cert FILE; ${insecure}.`,
    );
  }
  if (/CaUsedAsEndEntity/.test(message)) {
    return finding(
      "its certificate is self-signed, and marked as an authority's own (CaUsedAsEndEntity)",
      `It cannot be trusted by --ca-cert: sign a certificate for the server with it, or ${insecure}.`,
    );
  }
  if (/expired|not ?valid ?yet/i.test(message)) {
    const state = /not ?valid ?yet/i.test(message) ? "is not valid yet" : "has expired";
    return finding(
      `its certificate ${state} by this machine's clock`,
      `Renew it, or set the clock; ${insecure}.`,
    );
  }
  const names = /certificate not valid for name.*$/s.exec(message)?.[0];
  if (names !== undefined || /NotValidForName/.test(message)) {
    return finding(
      names ?? "its certificate is for another name",
      "Use a name in --url that the certificate has as a subject alternative name (its common name does not " +
        `count); ${insecure}.`,
    );
  }
  const wantsCertificate = /CertificateRequired/.test(message);
  if (wantsCertificate || (/alert: HandshakeFailure/.test(message) && !clientCert)) {
    return finding(
      wantsCertificate
        ? "the server wants a client certificate"
        : "the server refused the handshake, as those do that want a client certificate",
      "Give one with --client-cert FILE and --client-key FILE.",
    );
  }
  if (
    /alert: (UnknownCA|BadCertificate|CertificateUnknown|AccessDenied|DecryptError)/.test(message)
  ) {
    return finding(
      `the server refused the client certificate (${message})`,
      "Is it signed by an authority that the server knows? Look at --client-cert.",
    );
  }
  if (/InvalidContentType|corrupt message/.test(message)) {
    return finding(
      "the server there does not speak it",
      `Try ws:// in place of wss://: --url ${redactUrl(otherScheme(url))}`,
    );
  }
  if (/ProtocolVersion|alert|certificate/i.test(message)) {
    return finding(
      `TLS failed: ${message}`,
      "This client speaks TLS 1.2 and 1.3; a certificate of your own is named with --ca-cert.",
    );
  }
  return null;
}

/** What an HTTP answer to the upgrade means; `null`: nothing is wrong with it. */
function answerCause(answer: UpgradeAnswer, target: Target): Finding | null {
  const { status, headers } = answer;
  const header = (name: string) => target.foreign(headers.get(name) ?? "");
  if (status === 101) {
    const [name, wanted] = /^websocket$/i.test(headers.get("upgrade") ?? "")
      ? ["Connection", "Upgrade"]
      : ["Upgrade", "websocket"];
    const value = headers.get(name.toLowerCase()) ?? "";
    if (value.toLowerCase() === wanted.toLowerCase()) return null;
    const isLegal = value.toLowerCase().split(/\s*,\s*/).includes(wanted.toLowerCase());
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
  const location = headers.has("location") ? ` to ${redacted(header("location"))}` : "";
  const isPlain = /json|text\/plain/.test(headers.get("content-type") ?? "");
  const said = isPlain && answer.body !== ""
    ? `, saying ${JSON.stringify(target.foreign(answer.body.trim()))}`
    : "";
  return {
    failure: "httpStatus",
    cause: `the server answered HTTP ${status}${location}${from}${said}`,
    advice: adviceForStatus(status, {
      answer,
      location: location === "" ? null : redacted(header("location")),
      offersSubprotocol: target.options.subprotocols.length > 0,
    }),
  };
}

function redacted(location: string): string {
  return URL.canParse(location) ? redactUrl(location) : location.replace(/\?.*$/s, "?***");
}

function otherScheme(url: string): string {
  return url.startsWith("wss:") ? url.replace("wss:", "ws:") : url.replace("ws:", "wss:");
}

async function speaksTls(target: Target): Promise<boolean> {
  try {
    await onTls(target, () => Promise.resolve());
    return true;
  } catch (error) {
    return error instanceof Error && /peer certificate|fatal alert/.test(error.message);
  }
}

/** Works on a TLS connection whose handshake is done. */
function onTls<T>(target: Target, work: (conn: Deno.Conn) => Promise<T>): Promise<T> {
  const { url, caCert, clientCert } = target.options;
  const dial = () =>
    Deno.connectTls({
      ...addressOf(url),
      ...(caCert === null ? {} : { caCerts: [caCert] }),
      ...clientCert,
      alpnProtocols: ["http/1.1"],
    });
  return within(target, dial, async (conn) => {
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
  if (how === "tls") return onTls(target, talk);
  return within(target, () => Deno.connect(addressOf(target.options.url)), talk);
}

/** Works on a connection for a while, and closes it, though it may open too late. */
async function within<C extends Deno.Conn, T>(
  target: Target,
  dial: () => Promise<C>,
  work: (conn: C) => Promise<T>,
): Promise<T> {
  const { clock, timeoutMs } = target.options;
  const over = Promise.withResolvers<never>();
  const cancel = clock.after(
    Math.min(timeoutMs, LOOK_MS),
    () => over.reject(new Error("no answer in time")),
  );
  const dialling = dial();
  try {
    return await Promise.race([dialling.then(work), over.promise]);
  } finally {
    cancel();
    dialling.then(closeQuietly, () => {});
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

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // The other side was first.
  }
}
