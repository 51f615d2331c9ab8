// The rows of the index. A click on a column's heading sorts by it, another click reverses the order. The page contains
// only the rows that are shown, so that it stays fast with tens of thousands of records.

const STEP = 200;
const [URGENT, PROBABLE] = [2, 3]; // columns that begin with the highest
const rows = data.rows.map(([name, href, urgency, conclusion, alerts, statements, notes, probabilities, report]) => ({
  name, href, urgency, conclusion, alerts, statements, notes, probabilities, report,
  text: plain([name, conclusion, notes, ...alerts.map(([, text]) => text)].join(" ")),
}));
const state = { column: URGENT, down: true, shown: STEP };
const headings = [...document.querySelectorAll("#records th")];
const order = new Intl.Collator("en", { numeric: true });

/** The probability in thousandths of the diagnosis that is chosen, null where it was not explained. */
const probability = (row) => row.probabilities[Number(byId("diagnosis").value)] ?? null;

const VALUES = [
  (row) => row.name,
  (row) => row.conclusion,
  (row) => row.urgency,
  (row) => probability(row) ?? -1,
  (row) => row.notes,
];

function matching() {
  const terms = asked(byId("find").value);
  const [conclusion, alert, degree] = ["conclusion", "alert", "degree"].map((id) => byId(id).value);
  const names = terms.flatMap(({ statements }) => [...statements].map((index) => said[index].name));
  byId("degree").disabled = !names.length; // it is of what was found
  byId("found").textContent = names.length ? `Finds: ${names.join(", ")}` : "";
  return rows.filter((row) => {
    if (conclusion && row.conclusion !== conclusion) return false;
    if (alert && !row.alerts.some(([kind]) => alert === "*" || kind === alert)) return false;
    return fits(row, terms, Number(degree));
  });
}

function sorted(found) {
  const value = VALUES[state.column];
  const keyed = found.map((row, place) => [value(row), place, row]);
  const numbers = state.column === URGENT || state.column === PROBABLE;
  const compare = numbers ? (one, other) => one - other : order.compare;
  const way = state.down ? -1 : 1;
  keyed.sort(([one, first], [other, second]) => way * compare(one, other) || first - second);
  return keyed.map(([, , row]) => row);
}

function draw() {
  const found = sorted(matching());
  const named = byId("diagnosis").value !== "";
  headings[PROBABLE].hidden = !named;
  const shown = found.slice(0, state.shown).map((row) => drawn(row, named));
  document.querySelector("#records tbody").replaceChildren(...shown);
  byId("count").textContent = `${found.length} of ${rows.length} records`;
  byId("more").hidden = found.length <= state.shown;
  byId("more").textContent = `Show more (${found.length - shown.length} left)`;
}

function drawn(row, named) {
  const element = document.createElement("tr");
  const name = add(element, "td");
  if (row.href === null) name.textContent = row.name;
  else add(name, "a", { href: row.href }, row.name);
  if (row.report !== null) {
    name.append(" ");
    add(name, "a", { href: row.report, "aria-label": `${row.name}, report as PDF` }, "PDF");
  }
  add(element, "td", { class: `conclusion ${row.conclusion.replace(" ", "-")}` }, row.conclusion);
  const reading = add(element, "td");
  for (const [, text] of row.alerts) add(reading, "div", { class: "alert" }, `Alert: ${text}`);
  const statements = row.statements.map(([index, degree]) => {
    const certain = data.degrees[degree];
    return certain && certain !== "present" ? `${said[index].name} (${certain})` : said[index].name;
  });
  add(reading, "span", {}, statements.join(", "));
  if (named) {
    const value = probability(row);
    add(element, "td", { class: "number" }, value === null ? "" : (value / 1000).toFixed(3));
  }
  add(element, "td", { class: "extra" }, row.notes);
  return element;
}

function again() {
  state.shown = STEP;
  draw();
}

function sortBy(column, down = column === URGENT || column === PROBABLE) {
  state.down = state.column === column ? !state.down : down;
  state.column = column;
  headings.forEach((each, index) => {
    each.setAttribute("aria-sort", index !== column ? "none" : state.down ? "descending" : "ascending");
  });
  again();
}

/** Choosing a diagnosis sorts by its probability, from the highest. */
function chooseDiagnosis() {
  state.column = null;
  sortBy(byId("diagnosis").value === "" ? URGENT : PROBABLE);
}

function offer(id, values) {
  for (const [value, text] of values) add(byId(id), "option", { value }, text);
}

function prepare() {
  const listed = (values) => [...new Set(values)].filter(Boolean).sort(order.compare).map((text) => [text, text]);
  offer("conclusion", listed(rows.map(({ conclusion }) => conclusion)));
  offer("alert", listed(rows.flatMap(({ alerts }) => alerts.map(([kind]) => kind))));
  offer("degree", [[data.degrees.indexOf("probable"), "at least probable"], [data.degrees.indexOf("present"), "present"]]);
  const named = data.diagnoses.map((name, index) => [index, name]);
  offer("diagnosis", named.sort(([, one], [, other]) => order.compare(one, other)));
  headings.forEach((heading, index) => heading.querySelector("button").addEventListener("click", () => sortBy(index)));
  byId("find").addEventListener("input", again);
  for (const id of ["conclusion", "alert", "degree"]) byId(id).addEventListener("change", again);
  byId("diagnosis").addEventListener("change", chooseDiagnosis);
  byId("more").addEventListener("click", () => {
    state.shown += STEP;
    draw();
  });
  const near = new IntersectionObserver(([seen]) => seen.isIntersecting && byId("more").click());
  near.observe(byId("more"));
}

prepare();
draw();
