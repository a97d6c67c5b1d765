/** Where a command was called, and what it prints on. */
export interface CommandContext {
  directory: string;
  color: boolean;
  width: number;
}

/** What a command prints, and how it ends. */
export interface Outcome {
  text: string;
  exitCode: number;
}

/** A command that measures no server: it takes its arguments and gives back what to print. */
export type Command = (args: readonly string[], context: CommandContext) => Promise<Outcome>;
