/** Masks and cuts text from a server, proxy or library before it is kept or shown. */
export type ForeignText = (text: string, characters?: number) => string;

/** Default maximum length of a foreign text. */
export const SHOWN_CHARACTERS = 160;

/** Replaces a secret. */
export const MASK = "***";

/** Shorter secrets are masked only as whole words, because they occur in innocent text too. */
const SHORTEST_SECRET = 6;
/** Secrets this long are masked by their beginning alone, because a server may quote them cut. */
const LONG_SECRET = 16;
const SHORTEST_BEGINNING = 8;

/** A secret in one encoding: for each place its possible spellings, longest first. */
interface Form {
  places: readonly (readonly string[])[];
  /** Number of leading places that suffice for a match. */
  least: number;
  /** Matches only whole words. */
  isWord: boolean;
}

/**
 * Creates the function that all foreign text goes through on arrival. It masks secrets, then cuts,
 * so that no cut leaves part of a secret. It finds secrets verbatim, with any characters escaped as
 * in JSON, URLs or HTML, in base64 (either alphabet, also inside longer encoded text) and in
 * hexadecimal. Long secrets are found by their first 8 characters.
 *
 * @param secrets empty ones are ignored
 */
export function foreignText(secrets: readonly string[]): ForeignText {
  const forms = [...new Set(secrets)].filter((secret) => secret !== "").flatMap(formsOf);
  const pattern = forms.length === 0 ? null : new RegExp(forms.map(beginning).join("|"), "g");
  const longest = Math.max(0, ...forms.map(longestText));
  return (text, characters = SHOWN_CHARACTERS) => {
    // Just enough text to hold any secret that begins in the kept part.
    const near = text.slice(0, characters + 2 * longest);
    const { masked, rest } = pattern === null
      ? { masked: near, rest: near.length }
      : mask(near, { pattern, forms });
    // The end may be the beginning of a secret.
    const sure = near === text ? masked.length : masked.length - Math.min(rest, longest);
    const kept = Math.min(characters, sure);
    return masked.length <= kept ? masked : `${masked.slice(0, kept)}…`;
  };
}

/** Matches tried inside masked text: a secret that repeats itself matches at every place. */
const MOST_OVERLAPS = 100;

/** Masks all forms, even overlapping ones; `rest` is the number of characters after the last. */
function mask(text: string, { pattern, forms }: { pattern: RegExp; forms: readonly Form[] }) {
  let masked = "";
  let done = 0;
  let overlaps = 0;
  pattern.lastIndex = 0;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const at = found.index;
    if (at >= done) masked += text.slice(done, at) + MASK;
    overlaps = at >= done ? 0 : overlaps + 1;
    done = Math.max(done, at + found[0].length, ...forms.map((form) => endOf(form, text, at)));
    pattern.lastIndex = overlaps < MOST_OVERLAPS ? at + 1 : Math.max(at + 1, done);
  }
  return { masked: masked + text.slice(done), rest: text.length - done };
}

/** End of the form that begins at `at`; 0 if it does not begin there. */
function endOf({ places, least, isWord }: Form, text: string, at: number): number {
  if (isWord) return 0; // The pattern matches it as a whole.
  let end = at;
  for (const [index, texts] of places.entries()) {
    const spelling = texts.find((one) => text.startsWith(one, end));
    if (spelling === undefined) return index >= least ? end : 0;
    end += spelling.length;
  }
  return end;
}

/** A pattern for the places that suffice. */
function beginning({ places, least, isWord }: Form): string {
  const parts = places.slice(0, least).map((texts) =>
    texts.length === 1 ? RegExp.escape(texts[0]!) : `(?:${texts.map(RegExp.escape).join("|")})`
  ).join("");
  return isWord ? `(?<![A-Za-z0-9])${parts}(?![A-Za-z0-9])` : parts;
}

/** In characters. */
function longestText({ places }: Form): number {
  return places.reduce((sum, texts) => sum + texts[0]!.length, 0);
}

function formsOf(secret: string): Form[] {
  const bytes = new TextEncoder().encode(secret);
  const known: Record<string, readonly string[]> = Object.create(null);
  const isWord = secret.length < SHORTEST_SECRET;
  const form = (places: Form["places"]): Form => ({
    places,
    least: secret.length < LONG_SECRET ? places.length : SHORTEST_BEGINNING,
    isWord,
  });
  // Inside longer base64, a short secret determines too few characters.
  const encoded = (isWord ? [0] : [0, 1, 2]).map((before) => base64At(bytes, { before, isWord }));
  return [
    form(Array.from(secret, (character) => known[character] ??= spellings(character))),
    ...encoded.map((text) => form(Array.from(text, base64Spellings))),
    form(Array.from(bytes.toHex(), (digit) => [...new Set([digit, digit.toUpperCase()])])),
  ];
}

/** The base64 characters that the bytes alone determine, with `before` other bytes in front. */
function base64At(bytes: Uint8Array, { before, isWord }: { before: number; isWord: boolean }) {
  const all = new Uint8Array(before + bytes.length);
  all.set(bytes, before);
  const decided = isWord ? undefined : Math.floor(all.length * 8 / 6);
  return all.toBase64({ omitPadding: true }).slice(Math.ceil(before * 8 / 6), decided);
}

const BASE64_SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  "+": ["%2B", "%2b", "+", "-"],
  "/": ["%2F", "%2f", "\\/", "/", "_"],
};

function base64Spellings(character: string): readonly string[] {
  return BASE64_SPELLINGS[character] ?? [character];
}

const HTML_NAMES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** All spellings of a character: plain and escaped. */
function spellings(character: string): readonly string[] {
  const hex = new TextEncoder().encode(character).toHex();
  const percent = hex.replaceAll(/../g, "%$&");
  const units = character.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  const json = units.map((unit) => `\\u${unit}`).join("");
  const upper = units.map((unit) => `\\u${unit.toUpperCase()}`).join("");
  const html = HTML_NAMES[character];
  const once = [
    ...[json, upper, percent, percent.toUpperCase()],
    ...(html === undefined ? [] : [html]),
    ...(character === " " ? ["+"] : character === "/" ? ["\\/"] : []),
    JSON.stringify(character).slice(1, -1),
    character,
  ];
  // In a raw frame, text that was escaped before is escaped twice.
  const all = new Set(once.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]));
  return [...all].sort((a, b) => b.length - a.length);
}
