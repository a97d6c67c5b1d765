/**
 * Whether the numbers of a run can be relied on, in one sentence for its first screen. Shared by every
 * format.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../schema.ts";
import type { Tone } from "./insights.ts";
import { totalCalls } from "./ledger.ts";
import { scenarioTitle } from "./scenario_names.ts";
import { formatCount } from "./units.ts";

/** An answer to "can I rely on this?"; plain text, possibly with a server's own words in it. */
export interface TrustVerdict {
  tone: Tone;
  text: string;
}

/** Which scenarios' numbers can be relied on, and why the others cannot. */
export function trustVerdict(report: Report): TrustVerdict {
  const ran = report.scenarios.filter(({ status }) => status !== "skipped");
  if (ran.length === 0) return { tone: "bad", text: "There are no numbers: nothing was measured." };
  const unsound = ran.flatMap((scenario) => {
    const why = whyUnsound(scenario);
    return why === null ? [] : [`${scenarioTitle(scenario.name)} (${why})`];
  });
  if (unsound.length === 0) return { tone: "good", text: soundSentence(report, ran.length) };
  const others = ran.length - unsound.length;
  const rest = others === 0 ? "" : `; those of the other ${formatCount(others)} can be used`;
  return { tone: "bad", text: `Do not quote the numbers of ${unsound.join(", ")}${rest}.` };
}

function soundSentence(report: Report, scenarios: number): string {
  const { sent, ok } = totalCalls(report);
  const calls = sent === 0
    ? ""
    : ok === sent
    ? `all ${formatCount(sent)} calls were served`
    : `all ${formatCount(sent)} calls are accounted for`;
  const all = scenarios === 1
    ? "the one scenario"
    : `each of the ${formatCount(scenarios)} scenarios`;
  return `Yes: ${all} that ran passed every check, ${calls === "" ? "" : `${calls}, `}` +
    "and neither the client nor a cache is known to have bounded a number.";
}

function whyUnsound({ status, validity }: ScenarioReport): string | null {
  if (status === "failed" || status === "interrupted") return status;
  return validity.valid ? null : "not valid";
}
