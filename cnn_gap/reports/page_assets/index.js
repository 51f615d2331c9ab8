"use strict";

// A click on a column's heading sorts by it, another click turns the order.

function sortBy(heading) {
  const headings = [...heading.parentElement.children];
  const body = document.querySelector("#records tbody");
  const down = heading.getAttribute("aria-sort") === "ascending";
  const value = (row) => row.children[headings.indexOf(heading)].textContent;
  const rows = [...body.rows].sort((one, other) => compare(value(one), value(other)));
  for (const each of headings) each.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  body.append(...(down ? rows.reverse() : rows));
}

function compare(one, other) {
  return one.localeCompare(other, "en", { numeric: true });
}

for (const heading of document.querySelectorAll("#records th")) {
  heading.querySelector("button").addEventListener("click", () => sortBy(heading));
}
