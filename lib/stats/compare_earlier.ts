import type { Report } from "../schema.ts";
import { findDifferences } from "./comparability.ts";
import { compareReports } from "./compare.ts";

/**
 * The report with a comparison that nobody asked for: with those of the earlier runs, the oldest first, that passed and
 * measured the same workload on the same server and machine. It is shown and decides nothing. Without such a run,
 * where the user named baselines, and of a run that was interrupted, the report is as it was.
 */
export function compareWithEarlier(
  report: Report,
  earlier: readonly Report[],
  { noisePercent, bandPercent }: { noisePercent: number | null; bandPercent: number },
): Report {
  if (report.comparison !== undefined || report.verdict.status === "interrupted") return report;
  const parts = ({ merged }: Report) => merged?.parts.length ?? 1;
  const base = earlier.filter((old) =>
    old.verdict.status === "passed" && old.ab === undefined && parts(old) === parts(report) &&
    findDifferences(old, report).length === 0
  );
  if (base.length === 0) return report;
  const comparison = compareReports(base, report, { noisePercent, bandPercent, force: false });
  return {
    ...report,
    comparison: {
      ...comparison,
      automatic: true,
      rows: comparison.rows.map((row) => ({ ...row, gating: false })),
      // A run of fewer scenarios does not miss the others.
      onlyInOld: [],
      onlyInNew: [],
      regressions: [],
    },
  };
}
