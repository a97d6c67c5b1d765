import type { Comparison, Report } from "../../schema.ts";
import type { Audience, Document, Figure } from "../document.ts";
import { figures, sectionFor } from "../document.ts";
import { withoutCappedRates } from "../quantities.ts";
import { methodSection, nextStepsSection, partsSection, preflightSection } from "./appendix.ts";
import { transcriptSection } from "./appendix.ts";
import { comparisonSection } from "./comparison.ts";
import { firstScreen } from "./first_screen.ts";
import { checklistSection, performanceSection } from "./performance.ts";
import { isPhaseDocument, phaseSections, phaseTitle } from "./phase_document.ts";
import { scenarioSection } from "./scenario.ts";
import { targetName } from "./verdict.ts";

/** The document of a report for one audience, with the charts of `drawFigures`. */
export function buildDocument(
  given: Report,
  { charts, audience }: { charts: ReadonlyMap<string, Figure>; audience: Audience },
): Document {
  const report = withoutCappedRates(given);
  const { comparison, scenarios, ab } = report;
  const picture = charts.get("comparison");
  const compared = comparison === undefined || ab !== undefined
    ? []
    : [comparisonSection(comparison, picture)];
  const ending = [...partsSection(report), ...transcriptSection(report), methodSection(report)];
  const isPhase = isPhaseDocument(report);
  const sections = isPhase && audience === "page"
    ? [...phaseSections(report, charts), ...compared, ...ending]
    : [
      firstScreen(report, audience, picture),
      ...preflightSection(report),
      ...compared,
      // The heading above the scenarios' sections, with the figures of the whole run.
      ...scenarios.length === 0 ? [] : [sectionFor(
        ["page", "summary"],
        "scenarios",
        ab === undefined ? "Scenarios" : "Scenarios on B",
        ...figures(charts.get("overview"), charts.get("overRun")),
      )],
      ...scenarios.map((scenario) => scenarioSection(report, scenario, charts.get(scenario.name))),
      ...ab === undefined
        ? [...performanceSection(report), ...checklistSection(report), ...nextStepsSection(report)]
        : [],
      ...ending,
    ];
  return {
    title: isPhase ? phaseTitle(report) : targetName(report),
    sections: sections.filter((section) => section.audience.includes(audience)),
  };
}

/** The document of a comparison alone, as `compare` prints it. */
export function buildComparison(comparison: Comparison): Document {
  return { title: "Comparison", sections: [{ ...comparisonSection(comparison), title: "" }] };
}
