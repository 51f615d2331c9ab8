// The lists beside and under the sheet: statements, regions, what each lead adds, beats, and all outputs.

const FILTERED_FROM = 30; // diagnoses that make a list long
const MOST_BEATS = 500; // rows of the table of beats, so that a long record opens at once

function listenToStatements() {
  for (const button of document.querySelectorAll("#statements [data-class]")) {
    button.addEventListener("click", () => {
      const index = Number(button.dataset.class);
      if (state.mapOn && state.index === index) turnMap(false);
      else choose(index);
    });
  }
}

function pressStatements() {
  for (const button of document.querySelectorAll("#statements [data-class]")) {
    button.setAttribute("aria-pressed", state.mapOn && Number(button.dataset.class) === state.index);
  }
}

function listDiagnoses() {
  const list = byId("diagnoses");
  let group = null;
  data.classes.forEach((each, index) => {
    if (each.group !== group) add(list, "li", { class: "group", role: "presentation" }, each.group);
    group = each.group;
    const item = add(list, "li", { role: "option", id: `diagnosis-${index}`, class: each.stated ? "reported" : "" });
    add(item, "span", { class: "name" }, each.name);
    add(item, "span", { class: "codes" }, `${each.system} ${each.codes.join(", ")}`);
    add(item, "span", { class: "verdict" }, each.compared);
    const meter = add(item, "span", { class: "meter" });
    add(meter, "span", { class: "fill" }).style.width = `${100 * each.probability}%`;
    if (each.threshold !== null) add(meter, "span", { class: "tick" }).style.left = `${100 * each.threshold}%`;
    item.dataset.words = [each.name, ...each.words].join(" ").toLowerCase();
    item.addEventListener("click", () => choose(index));
  });
  list.addEventListener("keydown", chooseByKey);
  byId("filter").hidden = data.classes.length < FILTERED_FROM;
  byId("filter").addEventListener("input", filterDiagnoses);
}

function filterDiagnoses() {
  const wanted = byId("filter").value.trim().toLowerCase();
  let heading = null;
  for (const item of byId("diagnoses").children) {
    if (item.className === "group") {
      heading = item;
      heading.hidden = true;
    } else {
      item.hidden = !item.dataset.words.includes(wanted);
      if (!item.hidden) heading.hidden = false;
    }
  }
}

function chooseByKey(event) {
  const seen = data.classes.map((_, index) => index).filter((index) => !byId(`diagnosis-${index}`).hidden);
  const at = seen.indexOf(state.index);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: seen.length - 1 }[event.key];
  if (next === undefined || !seen.length) return;
  event.preventDefault();
  choose(seen[Math.min(Math.max(next, 0), seen.length - 1)]);
}

function listRegions() {
  byId("regions-section").hidden = !state.mapOn;
  const { regions, level } = chosen();
  byId("level").textContent = peak(chosen().activation)
    ? `Above ${percent(level)} of the map's highest value; mean there`
    : "Nothing speaks for the diagnosis";
  const list = byId("regions");
  list.replaceChildren();
  regions.forEach(([start, end, mean], index) => {
    const words = `${start.toFixed(2)}–${end.toFixed(2)} s: ${percent(mean)}`;
    const link = add(add(list, "li"), "a", { href: "#tracings" }, words);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      showRegion(index);
    });
  });
  if (!regions.length) add(list, "li", { class: "hint" }, "nowhere");
}

function listShares() {
  const { shares } = chosen();
  byId("shares-section").hidden = !shares || !state.mapOn;
  const list = byId("shares");
  list.replaceChildren();
  if (!shares) return;
  const low = Math.min(0, ...shares);
  const span = Math.max(0, ...shares) - low || 1;
  const most = Math.max(...shares.map(Math.abs)) || 1;
  shares.forEach((share, index) => {
    const item = add(list, "li");
    add(item, "span", { class: "name" }, data.leads[index].name);
    const track = add(item, "span", { class: "track" });
    if (!data.leads[index].microvolts) {
      track.textContent = "not recorded";
      return;
    }
    const bar = add(track, "span", { class: share < 0 ? "share against" : "share" });
    bar.style.left = `${(100 * (Math.min(share, 0) - low)) / span}%`;
    bar.style.width = `${(100 * Math.abs(share)) / span}%`;
    add(item, "span", { class: "value" }, `${Math.round((100 * share) / most)} %`.replace("-", "−"));
  });
}

/** The beats with what is unusual in them; of a long record first those with something unusual. */
function listBeats() {
  byId("beats-section").hidden = byId("marks-label").hidden = !data.beats.length;
  const unusual = ([, , , , early, wide, pause]) =>
    [early && "early", wide && "wide", pause && "pause before it"].filter(Boolean).join(", ");
  const words = data.beats.map(unusual);
  const odd = words.filter(Boolean).length;
  const all = words.length <= MOST_BEATS;
  const listed = words.map((_, index) => index).filter((index) => all || words[index]).slice(0, MOST_BEATS);
  const cut = all ? "" : `; the table has ${listed.length}, only unusual ones`;
  byId("beat-count").textContent = `${words.length}, ${odd || "none"} unusual${cut}`;
  const body = document.querySelector("#beat-table tbody");
  for (const index of listed) {
    const [time, rr, width] = data.beats[index];
    const row = add(body, "tr", { class: words[index] ? "unusual" : "" });
    const button = add(add(row, "td"), "button", { type: "button", class: "time" }, `${time.toFixed(2)} s`);
    button.addEventListener("click", () => showTime(time));
    add(row, "td", {}, rr === null ? "" : `${rr} ms`);
    add(row, "td", {}, width === null ? "" : `${width} ms`);
    add(row, "td", {}, words[index]);
  }
}
