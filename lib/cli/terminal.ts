/** Where a command prints; given by main.ts, which alone has to do with the process. */
export interface Terminal {
  /** To standard output. No text of others becomes a command of the system that reads the output. */
  print: (text: string) => void;
  /** To standard error. */
  printError: (text: string) => void;
  printWarning: (message: string) => void;
  /** To standard output as it is, for GitHub Actions, which takes commands from there. */
  printCommands: (text: string) => void;
  /** Is standard error a window in which a line can be redrawn? */
  isLive: boolean;
  /** The columns of the window. */
  width: () => number;
  /** How standard output is written to, if the user wants colours. */
  style: (color: boolean) => { color: boolean; width: number };
}

/** The first Ctrl-C ends what the program does in good order; a later one ends it at once. */
export interface Interrupt {
  signal: AbortSignal;
  /** Of the signal that came; `null`: none has. */
  readonly exitCode: number | null;
}

/**
 * Lines of output that GitHub Actions takes for none of its commands, whatever a server has put into them:
 * it looks for `::` at the start of a line, after white space, and for `##[` anywhere.
 */
export function defuseCommands(text: string): string {
  return text.replace(/^([\s\u0085]*):(?=:)/gm, "$1: ").replaceAll("##[", "## [");
}
