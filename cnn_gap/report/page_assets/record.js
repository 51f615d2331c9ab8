// What a reader does: choose a statement, a layout and a part of the record, point, zoom, print.

const KEY_STEP_S = 0.02;
const ZOOM = { least: 2.2, most: 14, step: 1.25 }; // pixels to the mm
const PEEK = 44; // pixels of the sections below that the first screen shows
const LEAST_ROOM = 300; // pixels of the sheet
const PRINTED = { page: 193, heading: 23, line: 4, columns: 3 }; // mm

/** Show the map of a diagnosis; its place in the list comes into view, but not when the page opens, from its top. */
function choose(index, reveal = true) {
  state.index = index;
  byId("diagnoses").setAttribute("aria-activedescendant", `diagnosis-${index}`);
  data.classes.forEach((_, each) => byId(`diagnosis-${each}`).setAttribute("aria-selected", each === index));
  if (reveal && byId("diagnoses-section").open) byId(`diagnosis-${index}`).scrollIntoView({ block: "nearest" });
  if (reveal) toStrongest();
  turnMap(reveal || state.mapOn);
}

/** Put the cursor on the strongest region of the chosen diagnosis if none is in view. */
function toStrongest() {
  const { regions } = chosen();
  if (!regions.length || regions.some(([start, end]) => end > view.start && start < viewEnd())) return;
  const [start, end] = regions.reduce((best, each) => (each[2] > best[2] ? each : best));
  goTo(start, end);
  state.sample = Math.round(((start + end) / 2) * data.rate);
}

function turnMap(on) {
  state.mapOn = on;
  byId("shown").textContent = on ? chosen().name : "";
  byId("verdict").textContent = on ? `probability ${chosen().compared}` : "";
  for (const draw of [drawMap, drawMedian, listRegions, listShares, pressStatements]) draw();
  moveCursor(state.sample, state.row);
  fit();
}

// The part that is shown

/** Show the part that begins at a time. */
function go(start) {
  view.start = Math.max(0, Math.min(start, data.seconds - shownSeconds()));
  byId("start").value = view.start;
  byId("start").setAttribute("aria-valuetext", partText());
  byId("part").textContent = partText();
  state.calipers.points = [];
  for (const draw of [drawSheet, drawMap, drawCalipers]) draw();
}

/** Show the part that begins at a time, with the cursor in it. */
function turnTo(start) {
  go(start);
  const inside = Math.min(Math.max(state.sample, Math.ceil(view.start * data.rate)), Math.ceil(viewEnd() * data.rate) - 1);
  moveCursor(inside, state.row);
}

/** Show the part with a time, by whole parts where it begins no nearer to their ends than a region is long. */
function goTo(from, to = from) {
  if (from >= view.start && to <= viewEnd()) return;
  const each = shownSeconds();
  const start = each * Math.floor(from / each);
  go(to > start + each ? (from + to - each) / 2 : start);
}

/** Show a time that a list or the reading names, with the cursor on it. */
function showTime(time) {
  goTo(time);
  read();
  byId("sheet").scrollIntoView({ block: "nearest" });
  moveCursor(Math.round(time * data.rate), state.row);
  keepInView();
}

function showRegion(index) {
  const [start, end] = chosen().regions[index];
  goTo(start, end);
  showTime((start + end) / 2);
  highlight(index);
}

function relayout() {
  const rows = byId("layout").value;
  const one = rows.startsWith("one ");
  Object.assign(view, { rows: one ? "one" : rows, lead: one ? rows.slice(4) : view.lead });
  view.height = rows === "3x4" ? HIGHEST : Infinity;
  for (const name of ["speed", "gain"]) view[name] = Number(byId(name).value);
  toggleCalipers(false);
  const long = data.seconds > shownSeconds();
  byId("along").hidden = !long;
  if (long) {
    const [least, most] = [0, data.seconds - shownSeconds()];
    for (const [name, value] of Object.entries({ min: least, max: short(most), step: 0.1 })) byId("start")[name] = value;
  }
  go(view.start);
  state.row = Math.max(0, leadRows().findLastIndex((row) => row.includes(data.rhythm)));
  moveCursor(state.sample, state.row);
  fit();
}

// The cursor

const panelAt = (row, time) =>
  sheet.panels.findLast((panel) => panel.row === row && panel.from <= time + 1e-9) ??
  sheet.panels.find((panel) => panel.row === row);

/** Put the cursor on a sample of a row and tell what is there. */
function moveCursor(sample, row) {
  state.sample = Math.min(Math.max(sample, 0), data.samples - 1);
  state.row = Math.min(Math.max(row, 0), sheet.baselines.length - 1);
  const time = state.sample / data.rate;
  goTo(time);
  const panel = panelAt(state.row, time);
  const { microvolts } = data.leads[leadIndex(panel.name)];
  const value = microvolts?.[state.sample] ?? null;
  for (const line of document.querySelectorAll(".cursor")) line.setAttribute("d", `M${x(time)} 0V${sheet.height}`);
  const dot = byId("dot");
  dot.setAttribute("visibility", value === null ? "hidden" : "visible");
  dot.setAttribute("cx", x(time));
  if (value !== null) dot.setAttribute("cy", yOf(value / 1000, panel));
  byId("time").textContent = `${time.toFixed(3)} s`;
  byId("voltage").textContent = `${panel.name}: ${voltageText(microvolts, value)}`;
  byId("activation").textContent = state.mapOn ? `map: ${percent(valueAt(chosen().activation, time))}` : "";
}

function voltageText(microvolts, value) {
  if (!microvolts) return "not recorded";
  return value === null ? "no valid sample" : `${(value / 1000).toFixed(3)} mV`;
}

const pixelsPerMm = () => byId("tracings").getBoundingClientRect().width / paperWidth();

function place(event) {
  const box = byId("tracings").getBoundingClientRect();
  const down = (event.clientY - box.top) / pixelsPerMm();
  const time = view.start + ((event.clientX - box.left) / pixelsPerMm() - SIDE) / view.speed;
  const inside = Math.min(Math.max(time, view.start), viewEnd() - 1e-6);
  const { baselines } = sheet;
  const row = baselines.findIndex((baseline, index) => down < (baseline + (baselines[index + 1] ?? Infinity)) / 2);
  return { time: inside, down, row: byId("tracings").contains(event.target) ? row : null };
}

/** Show the cursor, which is hidden as long as nobody points or presses a key. */
const read = () => byId("sheet").classList.add("read");

function point(event) {
  read();
  const { time, row } = place(event);
  byId("readout").setAttribute("aria-live", "off");
  moveCursor(Math.round(time * data.rate), row ?? state.row);
}

function click(event) {
  point(event);
  const { time, down, row } = place(event);
  if (state.calipers.on && row !== null) placeCaliper(time, down, panelAt(row, time));
}

function press(event) {
  const { key } = event;
  read();
  if (key === "c" || key === "C") toggleCalipers(!state.calipers.on);
  else if ((key === "m" || key === "M") && data.answerable) turnMap(!state.mapOn);
  else if (key === "Escape") toggleCalipers(false);
  else if (key === "Enter" && state.calipers.on) placeByKey();
  else if (key === "+" || key === "-") zoom(pixelsPerMm() * (key === "+" ? ZOOM.step : 1 / ZOOM.step));
  else moveByKey(event);
}

function placeByKey() {
  const time = state.sample / data.rate;
  const panel = panelAt(state.row, time);
  const value = data.leads[leadIndex(panel.name)].microvolts?.[state.sample] ?? null;
  byId("readout").setAttribute("aria-live", "polite");
  placeCaliper(time, value === null ? panel.baseline : unlimited(value / 1000, panel), panel);
}

function moveByKey(event) {
  const step = Math.max(1, Math.round((event.shiftKey ? 10 : 1) * KEY_STEP_S * data.rate));
  const screen = Math.round(shownSeconds() * data.rate);
  const along = { ArrowLeft: -step, ArrowRight: step, PageUp: -screen, PageDown: screen, Home: -Infinity, End: Infinity };
  const across = { ArrowUp: -1, ArrowDown: 1 };
  if (!(event.key in along) && !(event.key in across)) return;
  event.preventDefault();
  byId("readout").setAttribute("aria-live", "polite"); // spoken when keys move it, not at each move of a mouse
  moveCursor(state.sample + (along[event.key] ?? 0), state.row + (across[event.key] ?? 0));
  keepInView();
}

/** Scroll a sheet that is larger than its window to the cursor. */
function keepInView() {
  const box = byId("sheet");
  const mm = pixelsPerMm();
  const across = xAt(state.sample / data.rate) * mm;
  if (across < box.scrollLeft || across > box.scrollLeft + box.clientWidth) {
    box.scrollLeft = across - box.clientWidth / 2;
  }
  const { top, bottom } = panelAt(state.row, state.sample / data.rate);
  const seen = box.clientHeight - byId("map").getBoundingClientRect().height;
  if (top * mm < box.scrollTop) box.scrollTop = top * mm;
  if (bottom * mm > box.scrollTop + seen) box.scrollTop = bottom * mm - seen;
}

// The scale on the screen

/** Set how many pixels a mm of paper takes; the whole sheet fits where it is null. */
function zoom(pixels) {
  state.zoom = pixels === null ? null : Math.min(Math.max(pixels, ZOOM.least), ZOOM.most);
  fit();
}

function fit() {
  const box = byId("sheet");
  const high = sheetHeight() + (state.mapOn ? mapHeight : 0);
  const across = (byId("room").clientWidth - 3) / paperWidth();
  const below = byId("room").getBoundingClientRect().top + scrollY;
  const whole = view.height < Infinity || sheet.height <= HIGHEST;
  const room = Math.max(innerHeight - below - byId("legend").offsetHeight - PEEK, LEAST_ROOM);
  box.style.setProperty("--room", `${room}px`);
  const down = innerWidth > 960 && whole ? (room - 4) / high : Infinity;
  const fitting = Math.min(Math.max(Math.min(across, down), ZOOM.least), ZOOM.most);
  box.style.setProperty("--mm", `${state.zoom ?? fitting}px`);
  byId("fit").setAttribute("aria-pressed", state.zoom === null);
}

/** Lay the sheet out so that it fits one page of A4 under its heading. */
function beforePrint() {
  const statements = document.querySelectorAll("#statements li").length;
  const lines = document.querySelectorAll("#banners li").length + 2 * Math.ceil(statements / PRINTED.columns);
  const map = state.mapOn ? mapHeight + PRINTED.line : 0;
  view.height = Math.min(HIGHEST, PRINTED.page - PRINTED.heading - PRINTED.line * lines - FOOT - map);
  go(view.start);
}

// The start

function prepare() {
  const tracings = byId("tracings");
  for (const id of ["shades", "grid", "foot", "beats", "leads"]) add(tracings, "g", { id });
  add(tracings, "path", { id: "marks" });
  add(tracings, "path", { id: "caliper-lines" });
  add(tracings, "rect", { class: "highlight", y: 0.4, height: 0 });
  add(tracings, "path", { class: "cursor" });
  add(tracings, "circle", { id: "dot", r: 0.9 });
  const map = byId("map");
  const clip = add(map, "clipPath", { id: "clip" });
  add(clip, "rect", { id: "above-level" });
  for (const [name, attributes] of [
    ["path", { id: "above", "clip-path": "url(#clip)" }],
    ["path", { id: "zero", class: "axis" }],
    ["path", { id: "level-line" }],
    ["path", { id: "curve" }],
    ["g", { id: "strips" }],
    ["g", { id: "ticks" }],
    ["rect", { class: "highlight", y: -1, height: mapHeight + 1 }],
    ["path", { class: "cursor" }],
  ]) add(map, name, attributes);
}

function offerLayouts() {
  const layout = byId("layout");
  const few = recorded.length <= data.few_leads && recorded.length > 0;
  const names = { "3x4": "3 × 4 and rhythm", "6x2": "6 × 2", "12x1": "12 × 1" };
  if (few) add(layout, "option", { value: "recorded" }, "as recorded");
  for (const rows of Object.keys(data.layouts)) add(layout, "option", { value: rows }, names[rows] ?? rows);
  const group = add(layout, "optgroup", { label: "One lead" });
  for (const name of recorded) add(group, "option", { value: `one ${name}` }, name);
  for (const [id, unit, values] of [["speed", "mm/s", data.speeds], ["gain", "mm/mV", data.gains]]) {
    for (const value of values) add(byId(id), "option", { value }, `${value} ${unit}`);
    byId(id).value = view[id];
  }
  for (const id of ["layout", "speed", "gain"]) byId(id).addEventListener("change", relayout);
}

function listen() {
  const box = byId("sheet");
  for (const id of ["tracings", "map"]) {
    byId(id).addEventListener("pointermove", point);
    byId(id).addEventListener("click", click); // a tap, too
  }
  box.addEventListener("keydown", press);
  byId("parts").addEventListener("change", drawShades);
  byId("marks-on").addEventListener("change", drawBeats);
  byId("map-on").addEventListener("click", () => turnMap(!state.mapOn));
  byId("measure").addEventListener("click", () => toggleCalipers(!state.calipers.on));
  byId("larger").addEventListener("click", () => zoom(pixelsPerMm() * ZOOM.step));
  byId("smaller").addEventListener("click", () => zoom(pixelsPerMm() / ZOOM.step));
  byId("fit").addEventListener("click", () => zoom(null));
  byId("print").addEventListener("click", () => print());
  for (const button of document.querySelectorAll("[data-time]")) {
    button.addEventListener("click", () => showTime(Number(button.dataset.time)));
  }
  byId("start").addEventListener("input", () => turnTo(Number(byId("start").value)));
  for (const [id, way] of [["before", -1], ["after", 1]]) {
    byId(id).addEventListener("click", () => turnTo(view.start + way * shownSeconds()));
  }
  addEventListener("resize", fit);
  addEventListener("beforeprint", beforePrint);
  addEventListener("afterprint", relayout);
}

byId("map-on").hidden = byId("diagnoses-section").hidden = !data.answerable;
prepare();
offerLayouts();
drawColours();
listDiagnoses();
listBeats();
listenToStatements();
listen();
drawSheet();
choose(0, false);
relayout();
