/** Where secrets are. */
export interface SecretSettings {
  url: string;
  token: string | null;
  headers: Readonly<Record<string, string>>;
  subprotocols: readonly string[];
}

/** What is shorter, and neither token nor password, is no secret: a version, a flag. */
const SHORTEST_PART = 3;

/** Names of the schemes of `Authorization`: in the words of a server they are no secret. */
const SCHEME = /^(bearer|basic|digest|token|apikey|negotiate|jwt)$/i;

/**
 * Everything secret: the token, each header value and its words (so that a token is found without its "Bearer", a cookie
 * without its name, and a password without its user), user and password of the URL and the values of its query, and
 * subprotocols that are no plain names.
 */
export function secretsOf({ url, token, headers, subprotocols }: SecretSettings): string[] {
  const { username, password, searchParams } = new URL(url);
  const userInfo = [username, decodePercents(username)];
  const passwords = [password, decodePercents(password)];
  const both = password === "" ? [] : [`${userInfo[1]}:${passwords[1]}`];
  const query = [...searchParams].map(([name, value]) => value === "" ? name : value);
  const parts = [
    ...userInfo,
    ...both,
    ...query,
    ...Object.values(headers).flatMap(headerParts),
    ...subprotocols.filter((name) => !isPlainName(name, subprotocols)).flatMap(subprotocolParts),
  ];
  const secrets = [
    token ?? "",
    ...passwords,
    ...parts.filter((one) => one.length >= SHORTEST_PART),
  ];
  return [...new Set(secrets)].filter((one) => one !== "");
}

function headerParts(value: string): string[] {
  const words = value.split(/[\s,;]+/).filter((word) => !SCHEME.test(word));
  const values = words.map((word) => word.replace(/^[^=]+=(?=.)/, "").replace(/^"(.*)"$/, "$1"));
  return [value, ...words, ...values, ...values.flatMap(basicCredentials)];
}

/** User, password and both, where a word is them as `Authorization: Basic` has them. */
function basicCredentials(word: string): string[] {
  const text = fromBase64(word);
  const [, user, password] = /^([\x20-\x7e]*?):([\x20-\x7e]*)$/.exec(text) ?? [];
  return user === undefined || password === undefined ? [] : [text, user, password];
}

/** Some hand their token over as a subprotocol, as browsers cannot send headers. */
function subprotocolParts(name: string): string[] {
  const last = name.slice(name.lastIndexOf(".") + 1);
  const decoded = fromBase64(last);
  return [name, last, decoded].filter((one) => /^[\x20-\x7e]+$/.test(one) && !SCHEME.test(one));
}

/** Base64 of either alphabet as text; "" where it is none. */
function fromBase64(text: string): string {
  return orElse("", () => atob(text.replaceAll("-", "+").replaceAll("_", "/")));
}

const MARKS = /bearer|auth|token|jwt|key|secret|passw|credential/i;

/**
 * Is it the name of a protocol, such as `graphql-transport-ws` or `v4.channel.k8s.io`, and not a secret? Beside one that says
 * that a secret follows, such as `bearer`, none is.
 */
export function isPlainName(name: string, subprotocols: readonly string[]): boolean {
  if (subprotocols.some((one) => MARKS.test(one))) return false;
  return name.split(/[-._]/).every((part) => /^([a-z]{0,16}\d{0,3}|\d{1,8})$/i.test(part));
}

/** A text without percent-encoding, if that can be undone. */
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
