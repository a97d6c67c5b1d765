/**
 * What a reader has to know first, and how much of it fits one screen. Shared by every page.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { type Finding, findings } from "./findings.ts";
import { nextSteps } from "./next_steps.ts";

/** What is wrong, and what to do about it, has to fit the first screen. */
const MOST_FINDINGS = 5;
const MOST_STEPS = 3;
/** More notes than this are folded up, so that what was measured is not far down. */
export const MOST_OPEN_NOTES = 5;

/** What stands on the first screen beside the numbers. */
export interface FirstScreen {
  /** What is wrong, the gravest first, as much as there is room for. */
  grave: Finding[];
  /** What is wrong and has no room there. */
  further: Finding[];
  /** What is no fault, and yet good to know. */
  notes: Finding[];
  /** What to do next, the most urgent first. */
  steps: string[];
}

/** What is wrong with a run, what is worth knowing and what to do next. */
export function firstScreen(report: Report): FirstScreen {
  const all = findings(report);
  const grave = all.filter(({ level }) => level !== "note");
  return {
    grave: grave.slice(0, MOST_FINDINGS),
    further: grave.slice(MOST_FINDINGS),
    notes: all.filter(({ level }) => level === "note"),
    steps: nextSteps(report).slice(0, MOST_STEPS),
  };
}
