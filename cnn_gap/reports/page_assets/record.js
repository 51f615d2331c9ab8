"use strict";

// Lengths are mm as on ECG paper, times s, voltages mV and activations units of the logit unless a name says more.

const SPEED = 25;
const GAIN = 10;
const PIECE_S = 10; // tracings are drawn in pieces when they come into view, so that long records open at once
const SIDE = 15;
const ROW = { least: 10, reach: 20, overlap: 0.8 };
const CURVE = { top: 2.5, height: 14, axis: 5 };
const SHADES = 10;
const SHADE_STEP_S = 0.02;
const KEY_STEP_S = 0.02;

const data = JSON.parse(document.getElementById("data").textContent);
const rows = placeRows(data.leads);
const height = rows.at(-1).bottom;
const width = SPEED * data.seconds;
const drawnPieces = new Set();
const state = { index: 0, lead: firstLead(), sample: 0 };

const byId = (id) => document.getElementById(id);
const chosen = () => data.classes[state.index];

// Elements. Texts of the record come in by textContent and attributes alone, never as markup.

function add(parent, name, attributes = {}, text = "") {
  const element = document.createElementNS(parent.namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  parent.append(element);
  return element;
}

function resize(svg, wide, high) {
  svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  svg.setAttribute("preserveAspectRatio", "none"); // borders and rounded heights must not scale time
  svg.style.width = `calc(${wide} * var(--mm))`;
  svg.style.height = `calc(${high} * var(--mm))`;
}

const short = (number) => String(Number(number.toFixed(2)));
const x = (time) => short(SPEED * time);

// The sheet

/** Lead II, where the rhythm is looked at, or else the first that was recorded. */
function firstLead() {
  const recorded = data.leads.map((lead) => lead.microvolts !== null);
  return recorded[1] ? 1 : Math.max(0, recorded.indexOf(true));
}

/** Rows as near to each other as their tracings allow, all baselines on thick lines of the grid. */
function placeRows(leads) {
  const extents = leads.map(extent);
  const thick = (length) => 5 * Math.ceil(length / 5);
  let below = 0;
  let baseline = 0;
  const placed = extents.map(({ middle, up, down }) => {
    baseline += thick(Math.max(ROW.least, ROW.overlap * (below + up)));
    below = down;
    return { baseline, middle };
  });
  const end = baseline + thick(Math.max(5, below));
  const edges = placed.map((row, index) => (index ? (placed[index - 1].baseline + row.baseline) / 2 : 0));
  return placed.map((row, index) => ({ ...row, top: edges[index], bottom: edges[index + 1] ?? end }));
}

/** Where a lead's middle is (mV) and how far nearly all of it reaches from there (mm). */
function extent({ microvolts }) {
  const values = (microvolts ?? []).filter((value) => value !== null).sort((one, other) => one - other);
  if (!values.length) return { middle: 0, up: 0, down: 0 };
  const at = (share) => values[Math.round(share * (values.length - 1))] / 1000;
  const reach = (difference) => Math.min(GAIN * difference, ROW.reach);
  return { middle: at(0.5), up: reach(at(0.998) - at(0.5)), down: reach(at(0.5) - at(0.002)) };
}

function drawNames() {
  const svg = byId("names");
  resize(svg, SIDE, height);
  data.leads.forEach(({ name, microvolts }, index) => {
    const place = { x: 1, y: rows[index].baseline + 1, class: microvolts ? "name" : "name absent" };
    add(svg, "text", place, name);
  });
  add(svg, "path", { class: "ink", d: `M7.5 ${rows[0].baseline + 1}h1v-${GAIN}h5v${GAIN}h1` }); // 1 mV for 0.2 s
}

function drawPieces() {
  const { left, right } = viewed();
  const first = Math.max(0, Math.floor(left / PIECE_S) - 1);
  const last = Math.min(Math.ceil(data.seconds / PIECE_S), Math.ceil(right / PIECE_S) + 1);
  for (let piece = first; piece < last; piece += 1) {
    if (!drawnPieces.has(piece)) drawPiece(piece);
    drawnPieces.add(piece);
  }
}

function drawPiece(piece) {
  const from = piece * PIECE_S;
  const to = Math.min(from + PIECE_S, data.seconds);
  for (const [step, name] of [[1, "thin"], [5, "thick"]]) {
    add(byId("grid"), "path", { class: name, d: gridPath(SPEED * from, SPEED * to, step) });
  }
  data.leads.forEach((lead, index) => {
    if (lead.microvolts) {
      const d = tracingPath(lead.microvolts, rows[index], from, to);
      add(byId("leads"), "path", { class: "ink", "data-lead": lead.name, d });
    } else {
      const place = { x: x(from + 0.1), y: rows[index].baseline - 1, class: "absent" };
      add(byId("leads"), "text", place, "not recorded");
    }
  });
}

function gridPath(left, right, step) {
  let d = "";
  for (let at = Math.ceil(left / step) * step; at <= right; at += step) d += `M${at} 0V${height}`;
  for (let at = 0; at <= height; at += step) d += `M${short(left)} ${at}H${short(right)}`;
  return d;
}

/** A line through the samples from a time to another, with a gap where they are not valid. */
function tracingPath(microvolts, row, from, to) {
  const last = Math.min(Math.ceil(to * data.rate), microvolts.length - 1);
  let d = "";
  let drawing = false;
  for (let sample = Math.floor(from * data.rate); sample <= last; sample += 1) {
    const value = microvolts[sample];
    if (value !== null) {
      const point = `${x(sample / data.rate)} ${yOf(value / 1000, row)}`;
      d += drawing ? `L${point}` : `M${point}h0`; // the line of no length is the dot of a lonely sample
    }
    drawing = value !== null;
  }
  return d;
}

function yOf(voltage, row) {
  return short(row.baseline - GAIN * (voltage - row.middle));
}

// The map

/** A map's value at a time: straight lines between its steps, held at the ends. */
function valueAt(values, time) {
  const place = (time - data.map_start) / data.map_step;
  const clamp = (index) => Math.min(Math.max(index, 0), values.length - 1);
  const before = values[clamp(Math.floor(place))];
  const after = values[clamp(Math.floor(place) + 1)];
  const share = place - Math.floor(place);
  return (before * (1 - share) + after * share) / 1000;
}

function peak(values) {
  return values.reduce((highest, value) => Math.max(highest, value), 0) / 1000;
}

function drawShades() {
  const group = byId("shades");
  group.replaceChildren();
  const { activation, parts } = chosen();
  byId("parts-label").hidden = !parts;
  const byLead = parts && byId("parts").checked;
  const bands = byLead
    ? rows.map((row, index) => ({ values: parts[index], ...row }))
    : [{ values: activation, top: 0, bottom: height }];
  const highest = Math.max(...bands.map(({ values }) => peak(values)));
  const reach = highest ? `above 0, up to ${highest.toFixed(2)}` : "nowhere above 0";
  byId("range").textContent = `${byLead ? "what the map loses" : "activation"} ${reach} (units of the logit)`;
  for (const band of bands) {
    shadePaths(band, highest).forEach((d, shade) => {
      if (d) add(group, "path", { d, class: "shade", "fill-opacity": opacity(shade) });
    });
  }
}

const opacity = (shade) => short((0.6 * (shade + 1)) / SHADES);

/** One path for each shade of a band, the darker the higher the map; none where it is not above 0. */
function shadePaths({ values, top, bottom }, highest) {
  const paths = Array(SHADES).fill("");
  const steps = Math.ceil(data.seconds / SHADE_STEP_S);
  const shadeAt = (step) => Math.ceil((SHADES * valueAt(values, (step + 0.5) * SHADE_STEP_S)) / highest) - 1;
  let begun = 0;
  for (let step = 1, shade = shadeAt(0); step <= steps; step += 1) {
    const next = step < steps ? shadeAt(step) : null;
    if (next === shade) continue;
    const end = Math.min(step * SHADE_STEP_S, data.seconds);
    if (shade >= 0) paths[shade] += `M${x(begun)} ${top}H${x(end)}V${bottom}H${x(begun)}z`;
    [begun, shade] = [end, next];
  }
  return paths;
}

function curveScale({ activation, level }) {
  const inside = [0, ...activation.map((value) => value / 1000)];
  const high = inside.reduce((one, other) => Math.max(one, other), level);
  const low = inside.reduce((one, other) => Math.min(one, other));
  const y = (value) => short(CURVE.top + (CURVE.height * (high - value)) / (high - low || 1));
  return { low, high, y };
}

function curvePath(activation, y) {
  const time = (step) => data.map_start + step * data.map_step;
  const points = activation.map((value, step) => `${x(Math.min(time(step), data.seconds))} ${y(value / 1000)}`);
  return `M0 ${y(activation[0] / 1000)}L${points.join("L")}H${short(width)}`;
}

function drawCurve() {
  const { activation, level } = chosen();
  const { low, high, y } = curveScale(chosen());
  const d = curvePath(activation, y);
  byId("curve").setAttribute("d", d);
  byId("above").setAttribute("d", `${d}V${y(level)}H0z`);
  byId("above-level").setAttribute("height", y(level));
  byId("zero").setAttribute("d", `M0 ${y(0)}H${width}`);
  byId("level-line").setAttribute("d", `M0 ${y(level)}H${width}`);
  drawScale([high, low, 0, level], y);
}

/** Label values of the curve, leaving out what would overlap. */
function drawScale(values, y) {
  const svg = byId("scale");
  svg.replaceChildren();
  const taken = [];
  for (const value of values) {
    const place = Number(y(value));
    if (taken.some((other) => Math.abs(other - place) < 2.6)) continue;
    taken.push(place);
    add(svg, "text", { x: SIDE - 1, y: place + 0.9, class: "tick" }, short(value));
  }
  add(svg, "text", { x: 1, y: CURVE.top + CURVE.height + 4.2 }, "Map");
}

function drawAxis() {
  const high = CURVE.top + CURVE.height + CURVE.axis;
  const svg = byId("map");
  resize(svg, width, high);
  resize(byId("scale"), SIDE, high);
  for (let second = 0; second <= data.seconds; second += 1) {
    add(svg, "path", { class: "axis", d: `M${SPEED * second} ${high - CURVE.axis}v1` });
    const anchor = second === 0 ? "start" : SPEED * second > width - 5 ? "end" : "middle";
    add(svg, "text", { x: SPEED * second, y: high - 0.8, "text-anchor": anchor }, `${second} s`);
  }
}

function drawMarks() {
  const path = chosen().regions.map(([start, end]) => `M${x(start)} 2.5V1H${x(end)}V2.5`).join("");
  byId("marks").setAttribute("d", path);
}

function highlight(region) {
  const [start, end] = region === null ? [0, 0] : chosen().regions[region];
  for (const box of document.querySelectorAll(".highlight")) {
    box.setAttribute("x", x(start));
    box.setAttribute("width", x(end - start));
  }
  [...byId("regions").querySelectorAll("a")].forEach((link, index) => {
    if (index === region) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  });
}

// The lists

function listDiagnoses() {
  const list = byId("diagnoses");
  data.classes.forEach((each, index) => {
    const item = add(list, "li", { role: "option", id: `diagnosis-${index}` });
    add(item, "span", { class: "name" }, each.name);
    add(item, "span", { class: "codes" }, [each.abbreviation, ...each.codes].join(" · "));
    add(item, "span", { class: "verdict" }, verdict(each));
    const meter = add(item, "span", { class: "meter" });
    add(meter, "span", { class: "fill" }).style.width = `${100 * each.probability}%`;
    if (each.threshold !== null) add(meter, "span", { class: "tick" }).style.left = `${100 * each.threshold}%`;
    item.addEventListener("click", () => choose(index));
  });
  list.addEventListener("keydown", chooseByKey);
}

function verdict({ probability, threshold, answered }) {
  if (threshold === null) return `${probability.toFixed(3)}: never answered`;
  const than = probability < threshold ? "<" : "≥";
  return `${probability.toFixed(3)} ${than} ${threshold.toFixed(3)}: ${answered ? "answered" : "not answered"}`;
}

function chooseByKey(event) {
  const last = data.classes.length - 1;
  const next = { ArrowDown: state.index + 1, ArrowUp: state.index - 1, Home: 0, End: last }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  choose(Math.min(Math.max(next, 0), last));
}

function listRegions() {
  const { regions, level } = chosen();
  byId("level").textContent = `Map above ${level.toFixed(2)}; mean there`;
  const list = byId("regions");
  list.replaceChildren();
  regions.forEach(([start, end, mean], index) => {
    const words = `${start.toFixed(2)}–${end.toFixed(2)} s: ${mean.toFixed(2)}`;
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
  byId("shares-section").hidden = !shares;
  const list = byId("shares");
  list.replaceChildren();
  if (!shares) return;
  const low = Math.min(0, ...shares);
  const span = Math.max(0, ...shares) - low || 1;
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
    add(item, "span", { class: "value" }, share.toFixed(2));
  });
}

function drawColours() {
  const svg = byId("colours");
  resize(svg, 3 * SHADES, 3);
  for (let shade = 0; shade < SHADES; shade += 1) {
    add(svg, "path", { class: "shade", "fill-opacity": opacity(shade), d: `M${3 * shade} 0h3v3h-3z` });
  }
}

// What is done

function choose(index) {
  state.index = index;
  const { name, abbreviation } = chosen();
  byId("shown").textContent = name === abbreviation ? name : `${name} (${abbreviation})`;
  byId("diagnoses").setAttribute("aria-activedescendant", `diagnosis-${index}`);
  [...byId("diagnoses").children].forEach((item, each) => item.setAttribute("aria-selected", each === index));
  byId(`diagnosis-${index}`).scrollIntoView({ block: "nearest" });
  for (const draw of [drawShades, drawCurve, drawMarks, listRegions, listShares]) draw();
  highlight(null);
  moveCursor(state.sample, state.lead);
}

function showRegion(index) {
  const [start, end] = chosen().regions[index];
  highlight(index);
  byId("sheet").scrollIntoView({ block: "nearest" }); // in a narrow window it is above the list
  scrollTo((start + end) / 2);
  moveCursor(Math.round(((start + end) / 2) * data.rate), state.lead);
}

/** Put the cursor on a sample of a lead and tell what is there. */
function moveCursor(sample, lead) {
  state.sample = Math.min(Math.max(sample, 0), data.samples - 1);
  state.lead = Math.min(Math.max(lead, 0), data.leads.length - 1);
  const time = state.sample / data.rate;
  const { name, microvolts } = data.leads[state.lead];
  const value = microvolts?.[state.sample] ?? null;
  for (const line of document.querySelectorAll(".cursor")) line.setAttribute("d", `M${x(time)} 0V${height}`);
  const dot = byId("dot");
  dot.setAttribute("visibility", value === null ? "hidden" : "visible");
  dot.setAttribute("cx", x(time));
  if (value !== null) dot.setAttribute("cy", yOf(value / 1000, rows[state.lead]));
  byId("time").textContent = `${time.toFixed(3)} s`;
  byId("voltage").textContent = `${name}: ${voltageText(microvolts, value)}`;
  const activation = valueAt(chosen().activation, time);
  byId("activation").textContent = `${chosen().abbreviation} activation ${activation.toFixed(2)}`;
}

function voltageText(microvolts, value) {
  if (!microvolts) return "not recorded";
  return value === null ? "no valid sample" : `${(value / 1000).toFixed(3)} mV`;
}

/** The times at the left and right end of what is in view. */
function viewed() {
  const sheet = byId("sheet");
  const second = SPEED * pixelsPerMm();
  return { left: sheet.scrollLeft / second, right: (sheet.scrollLeft + sheet.clientWidth) / second - SIDE / SPEED };
}

function pixelsPerMm() {
  return byId("tracings").getBoundingClientRect().width / width;
}

function scrollTo(time) {
  const { left, right } = viewed();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const place = (time - (right - left) / 2) * SPEED * pixelsPerMm();
  byId("sheet").scrollTo({ left: place, behavior: still ? "instant" : "smooth" });
}

function point(event) {
  const box = byId("tracings").getBoundingClientRect();
  const down = (event.clientY - box.top) / pixelsPerMm();
  const row = rows.findIndex(({ bottom }) => down < bottom);
  const onTracings = byId("tracings").contains(event.target) && row >= 0;
  byId("readout").setAttribute("aria-live", "off");
  const time = (event.clientX - box.left) / pixelsPerMm() / SPEED;
  moveCursor(Math.round(time * data.rate), onTracings ? row : state.lead);
}

function moveByKey(event) {
  const step = Math.max(1, Math.round((event.shiftKey ? 10 : 1) * KEY_STEP_S * data.rate));
  const screen = Math.round(PIECE_S * data.rate);
  const along = { ArrowLeft: -step, ArrowRight: step, PageUp: -screen, PageDown: screen, Home: -Infinity, End: Infinity };
  const across = { ArrowUp: -1, ArrowDown: 1 };
  if (!(event.key in along) && !(event.key in across)) return;
  event.preventDefault();
  byId("readout").setAttribute("aria-live", "polite"); // spoken when keys move it, not at each move of a mouse
  moveCursor(state.sample + (along[event.key] ?? 0), state.lead + (across[event.key] ?? 0));
  keepInView();
}

function keepInView() {
  const time = state.sample / data.rate;
  const { left, right } = viewed();
  if (time < left || time > right) scrollTo(time);
  const sheet = byId("sheet");
  const { top, bottom } = rows[state.lead];
  const seen = sheet.clientHeight - byId("map").getBoundingClientRect().height;
  if (top * pixelsPerMm() < sheet.scrollTop) sheet.scrollTop = top * pixelsPerMm();
  if (bottom * pixelsPerMm() > sheet.scrollTop + seen) sheet.scrollTop = bottom * pixelsPerMm() - seen;
}

function prepare() {
  const tracings = byId("tracings");
  resize(tracings, short(width), height);
  for (const id of ["shades", "grid", "leads"]) add(tracings, "g", { id });
  add(tracings, "path", { id: "marks" });
  add(tracings, "rect", { class: "highlight", y: 0.4, height: height - 0.8 });
  add(tracings, "path", { class: "cursor" });
  add(tracings, "circle", { id: "dot", r: 0.9 });
  const map = byId("map");
  const clip = add(map, "clipPath", { id: "clip" });
  add(clip, "rect", { id: "above-level", width: short(width) });
  add(map, "path", { id: "above", "clip-path": "url(#clip)" });
  add(map, "path", { id: "zero", class: "axis" });
  add(map, "path", { id: "level-line" });
  add(map, "path", { id: "curve" });
  add(map, "rect", { class: "highlight", y: -1, height: CURVE.top + CURVE.height + 1 });
  add(map, "path", { class: "cursor" });
}

function listen() {
  const sheet = byId("sheet");
  sheet.addEventListener("scroll", drawPieces);
  for (const id of ["tracings", "map"]) byId(id).addEventListener("pointermove", point);
  sheet.addEventListener("keydown", moveByKey);
  byId("parts").addEventListener("change", drawShades);
  addEventListener("resize", drawPieces);
}

prepare();
drawNames();
drawAxis();
drawColours();
drawPieces();
listDiagnoses();
listen();
choose(0);
