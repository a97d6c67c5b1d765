import type { Check } from "../schema.ts";

/** A check of one shard, and how texts call that shard. */
export interface ShardCheck {
  label: string;
  check: Check;
}

/** One check of that name for all shards: it passed where it passed on each of them. */
export function mergeCheck(name: string, parts: readonly ShardCheck[]): Check {
  return {
    name,
    passed: parts.every(({ check }) => check.passed),
    expected: mergeTexts(parts.map(({ label, check }) => ({ label, text: check.expected }))),
    observed: mergeTexts(parts.map(({ label, check }) => ({ label, text: check.observed }))),
  };
}

/** Counts such as `3 of 4, …` are added where the rest is the same; texts that differ stay apart. */
export function mergeTexts(parts: readonly { label: string; text: string }[]): string {
  const texts = new Set(parts.map(({ text }) => text));
  const counts = parts.map(({ text }) => /^(\d+) of (\d+)(.*)$/s.exec(text));
  if (counts.every((match) => match !== null && match[3] === counts[0]?.[3])) {
    const total = (group: number) => counts.reduce((sum, match) => sum + Number(match![group]), 0);
    return `${total(1)} of ${total(2)}${counts[0]?.[3] ?? ""}`;
  }
  if (texts.size === 1) return parts[0]!.text;
  return parts.map(({ label, text }) => `${label}: ${text}`).join("; ");
}

/** Sentences of the shards: once where all say the same, else with the name of who says it. */
export function mergeSentences(
  parts: readonly { label: string; texts: readonly string[] }[],
): string[] {
  const all = parts.flatMap(({ texts }) => texts);
  const common = [...new Set(all)].filter((text) =>
    parts.every(({ texts }) => texts.includes(text))
  );
  return [
    ...common,
    ...parts.flatMap(({ label, texts }) =>
      [...new Set(texts)].filter((text) => !common.includes(text)).map((text) =>
        `${label}: ${text}`
      )
    ),
  ];
}
