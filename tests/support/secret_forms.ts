/** The ways in which a server could write a secret: as it is, and encoded as a whole. */
export function formsOfSecret(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const percent = encodeURIComponent(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    Array.from(secret, unicodeEscape).join(""),
    JSON.stringify(Array.from(secret, unicodeEscape).join("")).slice(1, -1),
    JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
    percent,
    percent.replaceAll(/%../g, (escape) => escape.toLowerCase()),
    bytes.toHex().replaceAll(/../g, "%$&"),
    ...bytes.toHex() === bytes.toHex().toUpperCase() ? [] : [bytes.toHex().toUpperCase()],
    bytes.toHex(),
    bytes.toBase64(),
    bytes.toBase64({ alphabet: "base64url", omitPadding: true }),
    ...["x", "xy"].flatMap((before) => {
      const longer = new TextEncoder().encode(`${before}${secret}z`);
      return [longer.toBase64(), longer.toBase64({ alphabet: "base64url", omitPadding: true })];
    }),
  ];
}

/** What every base64 text with the secret contains, for each alignment of the secret. */
export function base64Parts(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  return [0, 1, 2].map((before) => {
    const longer = new Uint8Array(before + bytes.length + 2);
    longer.set(bytes, before);
    const end = Math.floor((before + bytes.length) * 8 / 6);
    return longer.toBase64().slice(Math.ceil(before * 8 / 6), end);
  });
}

function unicodeEscape(character: string): string {
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
