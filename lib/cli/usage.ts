import { OPTION_GROUPS, type OptionGroup, type OptionSpec } from "./options.ts";

const INTRODUCTION = `Measures a JSON request/response WebSocket server and writes the reports.

Usage: deno task bench [options]

Without --url it starts the bundled reference server, measures that, and stops it again.`;

const EPILOGUE = `Options win over the environment, which wins over .env.
CI, TERM=dumb: plain progress. GITHUB_ACTIONS, GITHUB_STEP_SUMMARY: see docs/ci.md.

Exit codes:
  0  passed                     4  a threshold was missed
  1  a check failed             5  a regression against the baseline
  2  usage                      6  --strict, and a measurement is invalid
  3  the target can't be used   130  interrupted`;

/** The help text. */
export function usageText(): string {
  return [INTRODUCTION, optionsText(OPTION_GROUPS), EPILOGUE].join("\n\n");
}

/** Options under their headings. */
export function optionsText(groups: readonly OptionGroup[]): string {
  return groups.map(({ title, options }) => `${title}:\n${options.map(optionLine).join("\n")}`)
    .join("\n\n");
}

function optionLine({ name, value, env, help }: OptionSpec): string {
  const left = `  --${name}${value === "" ? "" : ` ${value}`}`.padEnd(29);
  const variable = env === undefined ? "" : `${help === "" ? "" : " "}[${env}]`;
  return `${left} ${help}${variable}`;
}
