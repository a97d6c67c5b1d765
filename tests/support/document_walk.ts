import type { Block, Content, Document, Inline } from "../../lib/report/document.ts";

/** Every inline of a document, including nested ones. */
export function inlinesOf({ title, sections }: Document): Inline[] {
  return [
    ...ofContent(title),
    ...sections.flatMap(({ title, blocks }) => [...ofContent(title), ...blocks.flatMap(ofBlock)]),
  ];
}

/** Every block of a document, including those in folds. */
export function blocksOf({ sections }: Document): Block[] {
  const within = (block: Block): Block[] =>
    block.kind === "fold" ? [block, ...block.blocks.flatMap(within)] : [block];
  return sections.flatMap(({ blocks }) => blocks.flatMap(within));
}

function ofContent(content: Content): Inline[] {
  const inlines = Array.isArray(content) ? content as readonly Inline[] : [content as Inline];
  return inlines.flatMap((inline) =>
    typeof inline === "object" && (inline.kind === "strong" || inline.kind === "link")
      ? [inline, ...ofContent(inline.content)]
      : [inline]
  );
}

function ofBlock(block: Block): Inline[] {
  switch (block.kind) {
    case "paragraph":
      return ofContent(block.content);
    case "heading":
      return ofContent(block.text);
    case "list":
      return block.items.flatMap(ofContent);
    case "table":
      return [...block.columns.map(({ title }) => title), ...block.rows.flat()].flatMap(ofContent);
    case "cards":
      return block.cards.flatMap(({ title, value, lines, plots }) =>
        [title, value, ...lines, ...plots].flatMap(ofContent)
      );
    case "bar":
      return block.segments.flatMap(({ label }) => ofContent(label));
    case "fold":
      return [...ofContent(block.summary), ...block.blocks.flatMap(ofBlock)];
    case "figure":
    case "code":
    case "boxes":
      return [];
    default:
      return block satisfies never;
  }
}
