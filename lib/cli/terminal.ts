/** Where a command prints; provided by main.ts, the only module that touches the process. */
export interface Terminal {
  /** To standard output, with workflow commands defused. */
  print: (text: string) => void;
  /** To standard error, with workflow commands defused. */
  printError: (text: string) => void;
  printWarning: (message: string) => void;
  /** To standard output as it is, for commands to GitHub Actions. */
  printCommands: (text: string) => void;
  /** True if standard error is a terminal, where a line can be redrawn. */
  isLive: boolean;
  /** The columns of the terminal. */
  width: () => number;
  /** The style of standard output; `color` is what the user wants. */
  style: (color: boolean) => { color: boolean; width: number };
}

/** The first Ctrl-C ends the work in good order; a later one exits immediately. */
export interface Interrupt {
  signal: AbortSignal;
  /** The exit code of the signal received; `null`: none. */
  readonly exitCode: number | null;
}

/**
 * Keeps GitHub Actions from taking a server's text for a command: it looks for `::` at the start of
 * a line, after white space, and for `##[` anywhere.
 */
export function defuseCommands(text: string): string {
  return text.replace(/^([\s\u0085]*):(?=:)/gm, "$1: ").replaceAll("##[", "## [");
}
