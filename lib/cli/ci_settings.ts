/**
 * What the environment says of where the output goes.
 *
 * @module
 */

/** How a run tells the system that it runs on. */
export interface CiSettings {
  /** No line that is drawn over, even on a terminal: a log keeps every version of it. */
  plain: boolean;
  /** Whether problems are told as GitHub's workflow commands. */
  annotates: boolean;
  /** The file that GitHub shows as the summary of the step; `null`: there is none. */
  stepSummaryPath: string | null;
}

/** Reads `CI`, `TERM`, `GITHUB_ACTIONS` and `GITHUB_STEP_SUMMARY`; an empty one is as good as none. */
export function readCiSettings(env: Readonly<Record<string, string | undefined>>): CiSettings {
  return {
    plain: isOn(env.CI) || env.TERM === "dumb",
    annotates: isOn(env.GITHUB_ACTIONS),
    stepSummaryPath: env.GITHUB_STEP_SUMMARY || null,
  };
}

/** Systems that set such a variable set it to `true`, `1` or their name. */
function isOn(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false"].includes(value.toLowerCase());
}
