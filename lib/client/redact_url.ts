/** A URL without what may be secret: user, password and query are replaced by `***`. */
export function redactUrl(url: string): string {
  const parsed = new URL(url);
  const user = parsed.username === "" && parsed.password === "" ? "" : "***@";
  const query = parsed.search === "" ? "" : "?***";
  const path = parsed.pathname === "/" ? "" : parsed.pathname;
  return `${parsed.protocol}//${user}${parsed.host}${path}${query}`;
}
