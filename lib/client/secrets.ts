/** Shorter parts, other than token and password, are not secret: a version, a flag. */
const SHORTEST_PART = 3;

/** Schemes of `Authorization`, which are not secret. */
const SCHEME = /^(bearer|basic|digest|token|apikey|negotiate|jwt)$/i;

/**
 * All secrets in the settings: the token, header values and their words (so that a token is found
 * without "Bearer" and a cookie without its name), user, password and query values of the URL, and
 * subprotocols that are not plain names.
 */
export function secretsOf({ url, token, headers, subprotocols }: {
  url: string;
  token: string | null;
  headers: Readonly<Record<string, string>>;
  subprotocols: readonly string[];
}): string[] {
  const { username, password, searchParams } = new URL(url);
  const [user, plainPassword] = [decodePercents(username), decodePercents(password)];
  const parts = [
    username,
    user,
    ...(password === "" ? [] : [`${user}:${plainPassword}`]),
    ...[...searchParams].map(([name, value]) => value || name),
    ...Object.values(headers).flatMap(headerParts),
    ...subprotocols.filter((name) => !isPlainName(name, subprotocols)).flatMap(subprotocolParts),
  ].filter((one) => one.length >= SHORTEST_PART);
  const secrets = new Set([token ?? "", password, plainPassword, ...parts]);
  return [...secrets].filter((one) => one !== "");
}

function headerParts(value: string): string[] {
  const words = value.split(/[\s,;]+/).filter((word) => !SCHEME.test(word));
  const values = words.map((word) => word.replace(/^[^=]+=(?=.)/, "").replace(/^"(.*)"$/, "$1"));
  return [value, ...words, ...values, ...values.flatMap(basicCredentials)];
}

/** Credentials, user and password in a word, if encoded as in `Authorization: Basic`. */
function basicCredentials(word: string): string[] {
  const text = fromBase64(word);
  const [, user, password] = /^([\x20-\x7e]*?):([\x20-\x7e]*)$/.exec(text) ?? [];
  return user === undefined || password === undefined ? [] : [text, user, password];
}

/** Some clients pass a token as a subprotocol, because browsers cannot send headers. */
function subprotocolParts(name: string): string[] {
  const last = name.slice(name.lastIndexOf(".") + 1);
  const decoded = fromBase64(last);
  return [name, last, decoded].filter((one) => /^[\x20-\x7e]+$/.test(one) && !SCHEME.test(one));
}

/** Decodes base64 of either alphabet; "" if it is invalid. */
function fromBase64(text: string): string {
  return orElse("", () => atob(text.replaceAll("-", "+").replaceAll("_", "/")));
}

const MARKS = /bearer|auth|token|jwt|key|secret|passw|credential/i;

/**
 * True for the name of a protocol, such as `graphql-transport-ws` or `v4.channel.k8s.io`. False for
 * all if one of them, such as `bearer`, announces a secret.
 */
export function isPlainName(name: string, subprotocols: readonly string[]): boolean {
  if (subprotocols.some((one) => MARKS.test(one))) return false;
  return name.split(/[-._]/).every((part) => /^([a-z]{0,16}\d{0,3}|\d{1,8})$/i.test(part));
}

/** Undoes percent-encoding, if it is valid. */
function decodePercents(text: string): string {
  return orElse(text, () => decodeURIComponent(text));
}

function orElse(fallback: string, decode: () => string): string {
  try {
    return decode();
  } catch {
    return fallback;
  }
}
