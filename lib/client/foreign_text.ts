/** Text that a server, proxy or library wrote, as the suite keeps and shows it. */
export type ForeignText = (text: string, characters?: number) => string;

/** How much of another's text is kept unless said otherwise. */
export const SHOWN_CHARACTERS = 160;

/** What stands in the place of a secret. */
const MASK = "***";

/**
 * Makes the one function that text of others goes through where it comes in: secrets are masked first, then the text is
 * cut, so that no cut can leave the beginning of a secret.
 *
 * @param secrets as they are given to the suite; empty ones are left out
 */
export function foreignText(secrets: readonly string[]): ForeignText {
  // The longest first: one that begins as another would leave its rest.
  const given = secrets.filter((secret) => secret !== "").sort((a, b) => b.length - a.length);
  const pattern = given.length === 0
    ? null
    : new RegExp(given.map((secret) => RegExp.escape(secret)).join("|"), "g");
  return (text, characters = SHOWN_CHARACTERS) => {
    const masked = pattern === null ? text : text.replace(pattern, MASK);
    return masked.length <= characters ? masked : `${masked.slice(0, characters)}…`;
  };
}
