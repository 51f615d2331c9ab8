// The map of the chosen diagnosis: shades behind the tracings, and under them its curve and the maps of all that is
// stated. Maps are shown in percent of their highest value, since their own unit means nothing to a reader.

const CURVE = { top: 2.5, height: 12 };
const STRIP = { height: 3.6, gap: 0.6, most: 5 };
const SHADES = 10;
const SHADE_STEP_S = 0.02;

const state = { index: 0, row: 0, sample: 0, zoom: null, mapOn: !data.reading, calipers: { on: false, points: [] } };
const chosen = () => data.classes[state.index];
const strips = data.classes.filter(({ stated }) => stated).slice(0, STRIP.most);
const stripsTop = CURVE.top + CURVE.height + 1;
const mapHeight = stripsTop + strips.length * (STRIP.height + STRIP.gap);

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

/** What 100 % of a diagnosis' map is: its highest value, or its size where nothing is above 0. */
function whole({ activation }) {
  return peak(activation) || activation.reduce((most, value) => Math.max(most, -value), 0) / 1000 || 1;
}

const percent = (value, each = chosen()) => `${Math.round((100 * value) / whole(each))} %`.replace("-", "−");

function drawShades() {
  const group = byId("shades");
  group.replaceChildren();
  const { activation, parts } = chosen();
  byId("parts-label").hidden = !parts || !state.mapOn;
  byId("parts-hint").hidden = !parts;
  if (!state.mapOn) return;
  const byLead = parts && byId("parts").checked;
  const bands = byLead
    ? sheet.panels.map((panel) => ({ values: parts[leadIndex(panel.name)], ...panel }))
    : [{ values: activation, top: 0, bottom: sheet.height, from: view.start, to: viewEnd() }];
  const highest = Math.max(...bands.map(({ values }) => peak(values)));
  const what = byLead ? "where the score would rise with the lead's signal" : "what speaks for the diagnosis";
  byId("range").textContent = highest
    ? `${chosen().name}: ${what}, 0 to 100 % of the highest value`
    : "nothing speaks for the diagnosis";
  for (const band of bands) shade(group, band, highest);
}

function shade(group, band, highest) {
  shadePaths(band, highest).forEach((d, each) => {
    if (d) add(group, "path", { d, class: "shade", "fill-opacity": opacity(each) });
  });
}

const opacity = (each) => short((0.6 * (each + 1)) / SHADES);

/** One path for each shade of a band, the darker the higher the map; none where it is not above 0. */
function shadePaths({ values, top, bottom, from, to }, highest) {
  const paths = Array(SHADES).fill("");
  if (!highest) return paths;
  const steps = Math.ceil((to - from) / SHADE_STEP_S - 1e-6);
  const shadeAt = (step) => Math.ceil((SHADES * valueAt(values, from + (step + 0.5) * SHADE_STEP_S)) / highest) - 1;
  let begun = from;
  for (let step = 1, each = shadeAt(0); step <= steps; step += 1) {
    const next = step < steps ? shadeAt(step) : null;
    if (next === each) continue;
    const end = Math.min(from + step * SHADE_STEP_S, to);
    if (each >= 0) paths[each] += `M${x(begun)} ${short(top)}H${x(end)}V${short(bottom)}H${x(begun)}z`;
    [begun, each] = [end, next];
  }
  return paths;
}

/** The maps of all that is stated, as rows under the curve, each in percent of its own highest value. */
function drawStrips() {
  const group = byId("strips");
  group.replaceChildren();
  strips.forEach(({ activation, name }, index) => {
    const top = stripsTop + index * (STRIP.height + STRIP.gap);
    const band = { values: activation, top, bottom: top + STRIP.height, from: view.start, to: viewEnd() };
    shade(group, band, peak(activation));
    const wide = view.speed * shownSeconds();
    add(group, "rect", { class: "strip", x: SIDE, y: top, width: short(wide), height: STRIP.height });
    const text = add(group, "text", { x: SIDE + 1, y: top + STRIP.height - 0.9, class: "strip-name" }, name);
    text.addEventListener("click", () => choose(data.classes.indexOf(strips[index])));
  });
}

function curveScale({ activation, level }) {
  const inside = [0, ...activation.map((value) => value / 1000)];
  const high = inside.reduce((one, other) => Math.max(one, other), level);
  const low = inside.reduce((one, other) => Math.min(one, other));
  const y = (value) => short(CURVE.top + (CURVE.height * (high - value)) / (high - low || 1));
  return { low, high, y };
}

/** The curve of what is shown, with its values at both ends. */
function curvePath(activation, y) {
  const time = (step) => data.map_start + step * data.map_step;
  const inside = activation.map((_, step) => step).filter((step) => time(step) > view.start && time(step) < viewEnd());
  const points = [
    [view.start, valueAt(activation, view.start)],
    ...inside.map((step) => [time(step), activation[step] / 1000]),
    [viewEnd(), valueAt(activation, viewEnd())],
  ];
  return `M${points.map(([at, value]) => `${x(at)} ${y(value)}`).join("L")}`;
}

function drawCurve() {
  const svg = byId("map");
  svg.toggleAttribute("hidden", !state.mapOn);
  byId("legend").hidden = !state.mapOn;
  byId("map-on").setAttribute("aria-pressed", state.mapOn);
  if (!state.mapOn) return;
  resize(svg, paperWidth(), mapHeight);
  const { activation, level } = chosen();
  const { low, high, y } = curveScale(chosen());
  const d = curvePath(activation, y);
  const right = x(viewEnd());
  byId("curve").setAttribute("d", d);
  byId("above").setAttribute("d", `${d}V${y(level)}H${SIDE}z`);
  byId("above-level").setAttribute("height", y(level));
  byId("above-level").setAttribute("width", right);
  byId("zero").setAttribute("d", `M${SIDE} ${y(0)}H${right}`);
  byId("level-line").setAttribute("d", `M${SIDE} ${y(level)}H${right}`);
  drawScale([high, low, 0, level], y);
  drawStrips();
}

/** Label values of the curve, leaving out what would overlap. */
function drawScale(values, y) {
  const group = byId("ticks");
  group.replaceChildren();
  const taken = [];
  for (const value of values) {
    const place = Number(y(value));
    if (taken.some((other) => Math.abs(other - place) < 2.6)) continue;
    taken.push(place);
    add(group, "text", { x: SIDE - 1, y: place + 0.9, class: "tick" }, percent(value));
  }
}

/** The regions of the map that are in view: their start and end, limited to it. */
function drawMarks() {
  const seen = chosen().regions.filter(([start, end]) => state.mapOn && end > view.start && start < viewEnd());
  const path = seen.map(([start, end]) => {
    const [from, to] = [Math.max(start, view.start), Math.min(end, viewEnd())];
    return `M${x(from)} 2.5V1H${x(to)}V2.5`;
  });
  byId("marks").setAttribute("d", path.join(""));
}

function highlight(region) {
  const [start, end] = region === null ? [0, 0] : chosen().regions[region];
  const [from, to] = [Math.max(start, view.start), Math.min(end, viewEnd())];
  for (const box of document.querySelectorAll(".highlight")) {
    box.setAttribute("x", x(from));
    if (byId("tracings").contains(box)) box.setAttribute("height", short(sheet.height - 0.8));
    box.setAttribute("width", short(view.speed * Math.max(0, to - from)));
  }
  [...byId("regions").querySelectorAll("a")].forEach((link, index) => {
    if (index === region) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  });
}

function drawColours() {
  const svg = byId("colours");
  resize(svg, 3 * SHADES, 3);
  for (let each = 0; each < SHADES; each += 1) {
    add(svg, "path", { class: "shade", "fill-opacity": opacity(each), d: `M${3 * each} 0h3v3h-3z` });
  }
}

function drawMap() {
  for (const draw of [drawShades, drawCurve, drawMarks]) draw();
  highlight(null);
}
