/**
 * The rows of a comparison with their intervals, better always to the right.
 *
 * @module
 */

import { CHANGES, type ComparisonRow, type Interval, type Report } from "../../schema.ts";
import { rowLabel, verdictCounts } from "../quantities.ts";
import { formatRatio } from "../units.ts";
import { fittedScale, rowAxis, wideScale } from "./axes.ts";
import { bands, dots, type Point, rowMarks, rule } from "./marks.ts";
import { cut, type Plan } from "./plan.ts";
import { COLORS } from "./theme.ts";

const MOST_ROWS = 24;
const ROW_HEIGHT = 38;
/** Distance of a row's epochs below its middle, in rows. */
const EPOCHS_BELOW = 0.24;
/** From this ratio of highest to lowest the axis is logarithmic. */
const WIDE = 2.5;

const VERDICT_COLORS = {
  faster: COLORS.green,
  slower: COLORS.red,
  same: COLORS.blue,
  undecided: COLORS.grey,
};

/** The plan of a comparison that was asked for; `null` without a row to draw. */
export function comparisonPlan({ comparison, ab }: Report): Plan | null {
  if (comparison === undefined || comparison.automatic) return null;
  const { rows, bandPercent } = comparison;
  const all = rows.flatMap((row) => {
    const label = `${cut(row.scenario)}\n${cut(rowLabel(row, rows))}`;
    return gainOf(row).map((one) => ({ ...one, row, label }));
  }).sort((a, b) => Number(b.row.gating) - Number(a.row.gating));
  if (all.length === 0) return null;
  const gains = all.slice(0, MOST_ROWS);
  const counts = verdictCounts(rows.filter(({ gating }) => gating));
  const sides = ab === undefined ? "New against old" : "B against A";
  const title = `${sides}: ${counts || "nothing is decided"}`;
  const more = all.length - gains.length;
  const band = [1 / (1 + bandPercent / 100), 1 + bandPercent / 100] as const;
  const epochs = gains.flatMap(({ epochs }, row) =>
    epochs.map((gain): Point => [gain, row + EPOCHS_BELOW])
  );
  const values = [
    ...[...band, ...epochs.map(([gain]) => gain)],
    ...gains.flatMap(({ gain, ci }) => [gain, ...ci ?? []]),
  ];
  const [first, ...others] = rowMarks(
    gains.map(({ row: { verdict }, gain, ci }, row) => (
      { name: verdict, color: VERDICT_COLORS[verdict], row, dot: gain, stroke: ci }
    )).sort((a, b) => CHANGES.indexOf(a.name) - CHANGES.indexOf(b.name)),
  );
  return {
    title,
    alt: `${title}. Times as good: ` +
      gains.map(({ label, gain }) => `${label.replace("\n", " ")} ${formatRatio(gain)}`).join(", "),
    panels: [{
      caption: `Grey: changes within ${bandPercent} %, which do not matter${
        more === 0 ? "" : `; ${more} more in the table`
      }`,
      // On a wide axis, twice and half as good are equally far from 1.
      x: {
        ...wideScale(values, { wide: WIDE, narrow: fittedScale }),
        format: (gain) => `${Number(gain.toPrecision(3))}x`,
        name: `worse  ←  times as good as ${ab === undefined ? "before" : "A"}  →  better`,
      },
      y: rowAxis(gains.map(({ label }) => label)),
      height: ROW_HEIGHT * gains.length,
      series: [
        {
          ...first!,
          markLine: rule("xAxis", 1, { text: "", color: COLORS.muted }),
          markArea: bands([band], COLORS.grey),
        },
        ...others,
        ...epochs.length === 0
          ? []
          : [dots("each epoch", epochs, { color: COLORS.muted, width: 4 })],
      ],
    }],
  };
}

/** How many times as good a row is, over 1 if it became better; empty if not known. */
function gainOf(
  { ratio, ci, better, epochs = [] }: ComparisonRow,
): { gain: number; ci: Interval | null; epochs: number[] }[] {
  const isDrawn = (value: number | null) => value !== null && value > 0 && Number.isFinite(value);
  if (!isDrawn(ratio)) return [];
  const gain = (value: number) => better === "higher" ? value : 1 / value;
  const [low, high] = ci?.every(isDrawn) ? ci.map(gain).toSorted((a, b) => a - b) : [];
  return [{
    gain: gain(ratio!),
    ci: low === undefined ? null : [low, high!],
    epochs: epochs.filter(isDrawn).map(gain),
  }];
}
