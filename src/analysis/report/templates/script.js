"use strict";
// Sort a table by a column: a button in each head. Without this script the tables just stand there.
const valueOf = (row, column) => {
  const cell = row.cells[column];
  const text = cell.dataset.value ?? cell.textContent.trim();
  const number = Number(text.replaceAll(",", ""));
  return { isMissing: text === "" || text === "nan", value: text !== "" && !isNaN(number) ? number : text };
};
const order = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
};
const sort = (table, column, direction) => {
  const rows = [...table.tBodies[0].rows].map((row) => ({ row, ...valueOf(row, column) }));
  rows.sort((a, b) => a.isMissing - b.isMissing || direction * order(a.value, b.value));
  table.tBodies[0].append(...rows.map((one) => one.row));
};
for (const table of document.querySelectorAll("table.sortable")) {
  if (table.tBodies[0].rows.length < 2) continue;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const direction = head.ariaSort === "ascending" ? -1 : 1;
      for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
      head.ariaSort = direction === 1 ? "ascending" : "descending";
      sort(table, column, direction);
    });
  });
}
// Paper has no folds to open.
const closed = [];
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details:not([open])")) { fold.open = true; closed.push(fold); }
});
addEventListener("afterprint", () => { for (const fold of closed.splice(0)) fold.open = false; });
