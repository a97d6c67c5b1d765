/**
 * What report.html can do where scripts run: tables sort by a click on a heading, and charts show their
 * values at the pointer or by the arrow keys. The text of all that it shows is in the page already, and
 * is only ever copied as text.
 *
 * @module
 */

const SVG = "http://www.w3.org/2000/svg";
const ORDERS = /** @type {const} */ (["none", "ascending", "descending"]);
/** Between a mark and what is told of it, in pixels. */
const GAP = 8;
const TEXT_ORDER = new Intl.Collator("en", { numeric: true });

for (const table of document.querySelectorAll("table")) makeSortable(table);
for (const figure of document.querySelectorAll("figure.chart")) makeReadable(figure);
for (const hint of document.querySelectorAll(".hint")) hint.removeAttribute("hidden");

/** @param {HTMLTableElement} table */
function makeSortable(table) {
  const [body] = table.tBodies;
  const asReported = [...body.rows];
  /** @type {HTMLTableCellElement[]} */
  const headings = [...table.querySelectorAll("th[data-order]")].filter(isCell);
  for (const heading of headings) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    heading.ariaSort = "none";
    button.addEventListener("click", () => {
      const next = ORDERS[(ORDERS.findIndex((order) => order === heading.ariaSort) + 1) % 3];
      for (const other of headings) other.ariaSort = other === heading ? next : "none";
      body.append(...inOrder(asReported, heading, next));
    });
  }
}

/**
 * @param {Element} element
 * @returns {element is HTMLTableCellElement}
 */
function isCell(element) {
  return element instanceof HTMLTableCellElement;
}

/**
 * @param {HTMLTableRowElement[]} rows
 * @param {HTMLTableCellElement} heading
 * @param {typeof ORDERS[number]} order
 */
function inOrder(rows, heading, order) {
  if (order === "none") return rows;
  const direction = order === "ascending" ? 1 : -1;
  const column = heading.cellIndex;
  const compare = heading.dataset.order === "number" ? compareValues : compareTexts;
  return rows.toSorted((a, b) => compare(a.cells[column], b.cells[column], direction));
}

/**
 * By value, those of one unit together; cells without a value are the last, whatever the direction.
 *
 * @param {HTMLTableCellElement} a
 * @param {HTMLTableCellElement} b
 * @param {number} direction
 */
function compareValues({ dataset: a }, { dataset: b }, direction) {
  if (a.value === undefined || b.value === undefined) {
    return Number(a.value === undefined) - Number(b.value === undefined);
  }
  return TEXT_ORDER.compare(a.unit ?? "", b.unit ?? "") ||
    direction * (Number(a.value) - Number(b.value));
}

/**
 * @param {HTMLTableCellElement} a
 * @param {HTMLTableCellElement} b
 * @param {number} direction
 */
function compareTexts(a, b, direction) {
  return direction * TEXT_ORDER.compare(a.textContent ?? "", b.textContent ?? "");
}

/**
 * One row of a chart's numbers: what it is called, what is told of it, and where it lies in the picture.
 *
 * @typedef {{ name: string, text: string, color: string | null, x: number, y: number }} Entry
 * @typedef {{ label: string, entries: Entry[] }} Row
 */

/** @param {Element} figure */
function makeReadable(figure) {
  const picture = figure.querySelector(".picture");
  const svg = figure.querySelector("svg");
  const table = figure.querySelector("table");
  if (!(picture instanceof HTMLElement) || svg === null || table === null) return;
  const rows = rowsOf(table);
  const axis = figure instanceof HTMLElement && figure.dataset.axis === "y" ? "y" : "x";
  if (rows.length === 0) return;
  const marks = svg.appendChild(document.createElementNS(SVG, "g"));
  const tip = figure.appendChild(document.createElement("div"));
  tip.className = "tip";
  tip.role = "status";
  tip.hidden = true;
  let shown = -1;

  const hide = () => {
    shown = -1;
    tip.hidden = true;
    marks.replaceChildren();
  };
  /** @param {number} index */
  const show = (index) => {
    if (index === shown) return;
    shown = index;
    const { label, entries } = rows[index];
    const drawn = entries.filter(({ color }) => color !== null);
    marks.replaceChildren(...drawn.map(({ x, y, color }) => dot({ x, y, color, radius: 6 })));
    const heading = document.createElement("strong");
    heading.textContent = label;
    tip.replaceChildren(heading, ...entries.map(line));
    tip.hidden = false;
    place(tip, marks);
  };

  svg.addEventListener("pointermove", (event) => {
    const matrix = svg.getScreenCTM();
    if (matrix === null) return;
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    show(nearest(rows, point, axis));
  });
  figure.addEventListener("pointerleave", hide);
  picture.addEventListener("blur", hide);
  picture.addEventListener("scroll", () => shown >= 0 && place(tip, marks));
  picture.addEventListener("focus", () => {
    if (picture.matches(":focus-visible")) show(0);
  });
  picture.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hide();
    const next = neighbour(event.key, shown, rows.length);
    if (next === null || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    show(next);
    marks.lastElementChild?.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}

/**
 * The rows of a chart's numbers that have a place in its picture.
 *
 * @param {HTMLTableElement} table
 * @returns {Row[]}
 */
function rowsOf(table) {
  const [what, ...columns] = [...table.tHead?.rows[0].cells ?? []];
  return [...table.tBodies[0].rows].map((row) => {
    const [label, ...cells] = [...row.cells];
    const entries = cells.flatMap((cell, index) => {
      const text = cell.textContent ?? "";
      const { x, y } = cell.dataset;
      const color = x === undefined ? null : columns[index].dataset.color ?? null;
      const name = columns[index].textContent ?? "";
      return text === "–" ? [] : [{ name, text, color, x: Number(x ?? NaN), y: Number(y ?? NaN) }];
    });
    return { label: `${what.textContent} ${label.textContent}`, entries };
  }).filter(({ entries }) => entries.some(({ color }) => color !== null));
}

/**
 * The row that lies nearest along the axis.
 *
 * @param {Row[]} rows
 * @param {DOMPoint} point
 * @param {"x" | "y"} axis
 */
function nearest(rows, point, axis) {
  const distances = rows.map(({ entries }) =>
    Math.min(
      ...entries.flatMap(({ color, [axis]: at }) =>
        color === null ? [] : [Math.abs(at - point[axis])]
      ),
    )
  );
  return distances.indexOf(Math.min(...distances));
}

/**
 * Which row a key leads to; `null`: the key is for something else.
 *
 * @param {string} key
 * @param {number} from
 * @param {number} count
 */
function neighbour(key, from, count) {
  const last = count - 1;
  switch (key) {
    case "ArrowRight":
    case "ArrowDown":
      return Math.min(last, from + 1);
    case "ArrowLeft":
    case "ArrowUp":
      return Math.max(0, from - 1);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}

/** @param {{ x: number, y: number, color: string | null, radius: number }} options */
function dot({ x, y, color, radius }) {
  const circle = document.createElementNS(SVG, "circle");
  const attributes = { cx: x, cy: y, r: radius, fill: color, stroke: "#ffffff", "stroke-width": 2 };
  for (const [name, value] of Object.entries(attributes)) circle.setAttribute(name, String(value));
  return circle;
}

/**
 * A line of what is shown, with the colour that it has in the picture.
 *
 * @param {Entry} entry
 */
function line({ name, text, color }) {
  const row = document.createElement("span");
  if (color !== null) {
    const swatch = row.appendChild(document.createElementNS(SVG, "svg"));
    swatch.setAttribute("class", "bench-chart");
    swatch.setAttribute("viewBox", "0 0 12 12");
    swatch.setAttribute("aria-hidden", "true");
    swatch.append(dot({ x: 6, y: 6, color, radius: 5 }));
  }
  const value = document.createElement("b");
  value.textContent = text;
  row.append(`${name} `, value);
  return row;
}

/**
 * Beside the marks on the side with more room, above or below them where neither has enough, and never beyond
 * the figure.
 *
 * @param {HTMLElement} tip
 * @param {Element} marks
 */
function place(tip, marks) {
  const frame = tip.parentElement?.getBoundingClientRect();
  if (frame === undefined) return;
  const { left, right, top, bottom } = marks.getBoundingClientRect();
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  const [roomLeft, roomRight] = [left - frame.left, frame.right - right];
  const isBeside = Math.max(roomLeft, roomRight) >= width + GAP;
  const x = !isBeside
    ? (left + right - width) / 2 - frame.left
    : roomLeft > roomRight
    ? roomLeft - width - GAP
    : right - frame.left + GAP;
  const above = top - frame.top - height - GAP;
  const y = isBeside ? top - frame.top - GAP : above >= 0 ? above : bottom - frame.top + GAP;
  tip.style.left = `${Math.max(0, Math.min(x, frame.width - width))}px`;
  tip.style.top = `${Math.max(0, y)}px`;
}
