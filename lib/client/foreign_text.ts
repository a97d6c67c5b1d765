import type { Frame, Protocol } from "../protocols/protocol.ts";

/** Text that a server, proxy or library wrote, as the suite keeps and shows it. */
export type ForeignText = (text: string, characters?: number) => string;

/** How much of another's text is kept unless said otherwise. */
export const SHOWN_CHARACTERS = 160;

/** What stands in the place of a secret. */
export const MASK = "***";

/** A shorter secret is masked only where it stands as a whole word: it would be found in innocent text too. */
const SHORTEST_SECRET = 6;
/** Of a secret this long, its first characters are masked wherever they stand: who repeats it may cut it. */
const LONG_SECRET = 16;
const SHORTEST_BEGINNING = 8;

/** A secret as it may be written: in each place one of several texts, the longest first. */
interface Form {
  places: readonly (readonly string[])[];
  /** So many places in a row are enough to be masked. */
  least: number;
  /** Is it masked only between characters that are no letters or digits? */
  isWord: boolean;
}

/**
 * Makes the one function that text of others goes through where it comes in: secrets are masked first, then the text is
 * cut, so that no cut can leave the beginning of a secret. Found are secrets as they are, with any of their characters
 * escaped as in JSON, percent-encoded or as in HTML, and in base64 (of either alphabet, also as a part of what was encoded) and
 * hexadecimal. Of long secrets the beginning is found too, from 8 characters on.
 *
 * @param secrets as they are given to the suite; empty ones are left out
 */
export function foreignText(secrets: readonly string[]): ForeignText {
  const forms = [...new Set(secrets)].filter((secret) => secret !== "").flatMap(formsOf);
  const pattern = forms.length === 0 ? null : new RegExp(forms.map(beginning).join("|"), "g");
  const longest = Math.max(0, ...forms.map(longestText));
  return (text, characters = SHOWN_CHARACTERS) => {
    // All of a secret that begins where text is kept, and no more work than that.
    const near = text.slice(0, characters + 2 * longest);
    const { masked, rest } = pattern === null
      ? { masked: near, rest: near.length }
      : mask(near, { pattern, forms });
    // What ends here may be the beginning of a secret.
    const sure = near === text ? masked.length : masked.length - Math.min(rest, longest);
    const kept = Math.min(characters, sure);
    return masked.length <= kept ? masked : `${masked.slice(0, kept)}…`;
  };
}

/** Inside of what is masked so far, so many further beginnings are looked at: of one that repeats itself each is one. */
const MOST_OVERLAPS = 100;

/** Masks every form, also where two overlap; `rest`: how many characters there are after the last of them. */
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

/** Where the form ends that begins at `at`; 0: it does not begin there. */
function endOf({ places, least, isWord }: Form, text: string, at: number): number {
  if (isWord) return 0; // The pattern has all of it.
  let end = at;
  for (const [index, texts] of places.entries()) {
    const spelling = texts.find((one) => text.startsWith(one, end));
    if (spelling === undefined) return index >= least ? end : 0;
    end += spelling.length;
  }
  return end;
}

/** The places that are enough, as a part of a pattern. */
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
  // As a part of something longer, a short secret has too little of its own.
  const encoded = (isWord ? [0] : [0, 1, 2]).map((before) => base64At(bytes, { before, isWord }));
  return [
    form(Array.from(secret, (character) => known[character] ??= spellings(character))),
    ...encoded.map((text) => form(Array.from(text, base64Spellings))),
    form(Array.from(bytes.toHex(), (digit) => [...new Set([digit, digit.toUpperCase()])])),
  ];
}

/** The characters that the bytes alone decide, with so many other bytes before them and any after. */
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

/** A character as it is, and as encodings of text have it. */
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
  // A frame as it came has a text twice escaped that was escaped before.
  const all = new Set(once.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]));
  return [...all].sort((a, b) => b.length - a.length);
}

/** A server's words for an error are kept to this length, in characters. */
const MESSAGE_CHARACTERS = 1_000;

/** The protocol, with every text that it takes out of a server's frames through `foreign`. */
export function maskedProtocol(protocol: Protocol, foreign: ForeignText): Protocol {
  const masked = (frame: Extract<Frame, { code: string }>): Frame => ({
    ...frame,
    code: foreign(frame.code),
    message: foreign(frame.message, MESSAGE_CHARACTERS),
  });
  return {
    ...protocol,
    classify(text) {
      const frame = protocol.classify(text);
      return frame.kind === "toolError" || frame.kind === "rateLimited" ? masked(frame) : frame;
    },
    open(credentials) {
      const { send, read } = protocol.open(credentials);
      if (read === null) return { send, read };
      return {
        send,
        read(text) {
          const reply = read(text);
          return reply.status === "refused" ? { ...reply, error: foreign(reply.error) } : reply;
        },
      };
    },
    readTools(text) {
      const page = protocol.readTools(text);
      return page === null ? null : {
        ...page,
        tools: page.tools.map((tool) => ({ ...tool, name: foreign(tool.name) })),
      };
    },
  };
}
