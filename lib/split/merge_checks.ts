import type { Check, Fact } from "../schema.ts";

/** A check of one shard, and how texts call that shard. */
export interface ShardCheck {
  label: string;
  check: Check;
}

/** One check of that name for all shards: counts are added, and it passed where it passed on each of them. */
export function mergeCheck(parts: readonly ShardCheck[]): Check {
  const { kind, name } = parts[0]!.check;
  const counts = parts.flatMap(({ check: { seen, wanted } }) =>
    seen === undefined || wanted === undefined ? [] : [{ seen, wanted }]
  );
  const passed = parts.every(({ check }) => check.passed);
  if (counts.length === parts.length) {
    const seen = counts.reduce((sum, one) => sum + one.seen, 0);
    const wanted = counts.reduce((sum, one) => sum + one.wanted, 0);
    const failed = parts.filter(({ check }) => !check.passed);
    const why = failed.map(({ label, check }) => `; ${label}: ${check.observed}`).join("");
    return {
      ...{ kind, name, passed, seen, wanted },
      expected: `${wanted} of ${wanted}`,
      observed: `${seen} of ${wanted}${why}`,
    };
  }
  const texts = (field: "expected" | "observed") =>
    mergeTexts(parts.map(({ label, check }) => ({ label, text: check[field] })));
  return { kind, name, passed, expected: texts("expected"), observed: texts("observed") };
}

/** The text that all give, or each with the name of who gives it. */
function mergeTexts(parts: readonly { label: string; text: string }[]): string {
  const texts = new Set(parts.map(({ text }) => text));
  if (texts.size === 1) return parts[0]!.text;
  return parts.map(({ label, text }) => `${label}: ${text}`).join("; ");
}

/** Facts of the shards: once where all say the same, else with the name of who says it. */
export function mergeFacts<F extends Fact>(
  parts: readonly { label: string; facts: readonly F[] }[],
): F[] {
  const all = parts.flatMap(({ facts }) => facts);
  const isCommon = ({ message }: F) =>
    parts.every(({ facts }) => facts.some((one) => one.message === message));
  const unique = (facts: readonly F[]) =>
    facts.filter(({ message }, index) =>
      facts.findIndex((one) => one.message === message) === index
    );
  return [
    ...unique(all.filter(isCommon)),
    ...parts.flatMap(({ label, facts }) =>
      unique(facts.filter((fact) => !isCommon(fact))).map((fact) => ({
        ...fact,
        message: `${label}: ${fact.message}`,
      }))
    ),
  ];
}
