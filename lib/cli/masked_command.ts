import { foreignText, MASK } from "../client/foreign_text.ts";
import { maskUrl } from "../client/redact_url.ts";
import { isPlainName } from "../client/secrets.ts";

/** Options whose value is secret, or may be. */
export const SECRET_OPTIONS: ReadonlySet<string> = new Set([
  ...["--token", "--token-b", "--header", "--header-b", "--subprotocol"],
]);

const URL_OPTIONS: ReadonlySet<string> = new Set(["--url", "--a", "--b"]);

/**
 * The arguments of a command without the values of secret options, without secret parts of URLs, and without
 * these tokens in what else there is.
 */
export function maskCommand(
  args: readonly string[],
  tokens: readonly (string | null)[] = [],
): string[] {
  // A short one may be an innocent value too.
  const long = tokens.filter((token): token is string => token !== null && token.length >= 6);
  const foreign = foreignText(long);
  return args.map((arg, index) => {
    const previous = args[index - 1] ?? "";
    if (isOption(previous)) return maskValue(previous, arg);
    const [option = ""] = arg.split("=", 1);
    if (isOption(option) && option !== arg) {
      return `${option}=${maskValue(option, arg.slice(option.length + 1))}`;
    }
    return option.startsWith("--") && option === arg ? arg : foreign(arg, Infinity);
  });
}

function isOption(text: string): boolean {
  return SECRET_OPTIONS.has(text) || URL_OPTIONS.has(text);
}

function maskValue(option: string, value: string): string {
  if (URL_OPTIONS.has(option)) return maskUrl(value);
  return option === "--subprotocol" && isPlainName(value, [value]) ? value : MASK;
}
