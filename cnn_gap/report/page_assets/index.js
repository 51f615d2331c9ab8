// A click on a column's heading sorts by it, another click turns the order. Only so many rows are in the page as are
// looked at, so that ten thousand records are no burden.

const STEP = 200;
const [NAME, HREF, REPORTED, NOTES, PROBABILITIES] = [0, 1, 2, 3, 4];
const state = { column: null, down: false, shown: STEP };
const headings = [...document.querySelectorAll("#records th")];
const order = new Intl.Collator("en", { numeric: true });

/** The diagnosis whose probability is shown of a row, and that probability in thousandths. */
function told(row) {
  const wanted = byId("diagnosis").value;
  const values = row[PROBABILITIES];
  const index = wanted === "" ? values.indexOf(Math.max(...values)) : Number(wanted);
  return { name: data.diagnoses[index] ?? "", value: values[index] ?? null };
}

const VALUES = [
  (row) => row[NAME],
  (row) => row[REPORTED],
  (row) => told(row).name,
  (row) => told(row).value,
  (row) => row[NOTES],
];

function matching() {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const reported = byId("reported").value;
  return data.rows.filter((row) => {
    const listed = row[REPORTED].split(", ");
    if (reported && !listed.includes(reported)) return false;
    const text = `${row[NAME]} ${row[REPORTED]} ${row[NOTES]} ${told(row).name}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function sorted(rows) {
  if (state.column === null) return rows;
  const value = VALUES[state.column];
  const keyed = rows.map((row) => [value(row), row]);
  const compare = state.column === 3 ? (one, other) => one - other : order.compare;
  keyed.sort(([one], [other]) => compare(one, other));
  return (state.down ? keyed.reverse() : keyed).map(([, row]) => row);
}

function draw() {
  const rows = sorted(matching());
  const body = document.querySelector("#records tbody");
  const shown = rows.slice(0, state.shown).map(drawn);
  body.replaceChildren(...shown);
  byId("count").textContent = `${rows.length} of ${data.rows.length} records`;
  byId("more").hidden = rows.length <= state.shown;
  byId("more").textContent = `Show more (${rows.length - shown.length} left)`;
  byId("of").textContent = byId("diagnosis").value === "" ? "Most probable" : "Diagnosis";
}

function drawn(row) {
  const element = document.createElement("tr");
  const name = add(element, "td");
  if (row[HREF] === null) name.textContent = row[NAME];
  else add(name, "a", { href: row[HREF] }, row[NAME]);
  add(element, "td", {}, row[REPORTED]);
  const { name: diagnosis, value } = told(row);
  add(element, "td", {}, diagnosis);
  add(element, "td", { class: "number" }, value === null ? "" : (value / 1000).toFixed(3));
  add(element, "td", { class: "extra" }, row[NOTES]);
  return element;
}

function again() {
  state.shown = STEP;
  draw();
}

function sortBy(column) {
  state.down = state.column === column && !state.down;
  state.column = column;
  headings.forEach((each, index) => {
    each.setAttribute("aria-sort", index !== column ? "none" : state.down ? "descending" : "ascending");
  });
  again();
}

function prepare() {
  const reported = new Set(data.rows.flatMap((row) => row[REPORTED].split(", ")).filter(Boolean));
  for (const name of [...reported].sort(order.compare)) add(byId("reported"), "option", { value: name }, name);
  const named = data.diagnoses.map((name, index) => [name, index]);
  named.sort(([one], [other]) => order.compare(one, other));
  for (const [name, index] of named) add(byId("diagnosis"), "option", { value: index }, name);
  headings.forEach((heading, index) => heading.querySelector("button").addEventListener("click", () => sortBy(index)));
  byId("find").addEventListener("input", again);
  for (const id of ["reported", "diagnosis"]) byId(id).addEventListener("change", again);
  byId("more").addEventListener("click", () => {
    state.shown += STEP;
    draw();
  });
  const near = new IntersectionObserver(([seen]) => seen.isIntersecting && byId("more").click());
  near.observe(byId("more"));
}

prepare();
draw();
