// The tracings, the grid and the beats of what the sheet shows.

let sheet = placePanels();

const sheetHeight = () => sheet.height + FOOT;

function resize(svg, wide, high) {
  svg.setAttribute("viewBox", `0 0 ${short(wide)} ${short(high)}`);
  svg.setAttribute("preserveAspectRatio", "none"); // borders and rounded heights must not scale time
  svg.style.width = `calc(${short(wide)} * var(--mm))`;
  svg.style.height = `calc(${short(high)} * var(--mm))`;
}

function drawSheet() {
  sheet = placePanels();
  resize(byId("tracings"), paperWidth(), sheetHeight());
  drawGrid();
  drawPulses();
  drawFoot();
  const group = byId("leads");
  group.replaceChildren();
  sheet.panels.forEach((panel) => drawPanel(group, panel));
  drawBeats();
}

function drawGrid() {
  const group = byId("grid");
  group.replaceChildren();
  const [wide, high] = [paperWidth(), sheet.height];
  for (const [step, name] of [[1, "thin"], [5, "thick"]]) {
    let d = "";
    for (let at = 0; at <= wide; at += step) d += `M${at} 0V${high}`;
    for (let at = 0; at <= high; at += step) d += `M0 ${at}H${short(wide)}`;
    add(group, "path", { class: name, d });
  }
}

/** 1 mV for 0.2 s at each row, or above the first one where there are many. */
function drawPulses() {
  const d = (baseline) => `M1.5 ${baseline}h1v${-view.gain}h${0.2 * view.speed}v${view.gain}h1`;
  const rows = sheet.baselines.length > 6 ? sheet.baselines.slice(0, 1) : sheet.baselines;
  add(byId("grid"), "path", { id: "pulses", class: "ink", d: rows.map(d).join("") });
}

function drawFoot() {
  const group = byId("foot");
  group.replaceChildren();
  const y = sheet.height + 3.4;
  for (let second = Math.ceil(view.start); second <= viewEnd() + 1e-6; second += 1) {
    add(group, "path", { class: "axis", d: `M${x(second)} ${sheet.height}v0.9` });
    const anchor = xAt(second) > paperWidth() - 4 ? "end" : "middle";
    add(group, "text", { x: x(second), y, "text-anchor": anchor }, `${second} s`);
  }
  const scale = { id: "scale", x: 1.5, y: y + 3.7 };
  add(group, "text", scale, `${view.speed} mm/s · ${view.gain} mm/mV · ${partText()}`);
}

const partText = () => `${view.start.toFixed(1)}–${viewEnd().toFixed(1)} s of ${short(data.seconds)} s`;

function drawPanel(group, panel) {
  const { microvolts } = data.leads[leadIndex(panel.name)];
  if (panel.from > view.start) {
    add(group, "path", { class: "border", d: `M${x(panel.from)} ${panel.baseline - 5}v3m0 4v3` });
  }
  if (microvolts) {
    add(group, "path", { class: "ink", "data-lead": panel.name, "data-row": panel.row, d: tracingPath(microvolts, panel) });
    const cuts = cutsPath(microvolts, panel);
    if (cuts) add(group, "path", { class: "cut", "data-lead": panel.name, d: cuts });
  } else {
    const place = { x: short(xAt(panel.from) + 11), y: panel.baseline - 1, class: "absent" };
    add(group, "text", place, "not recorded");
  }
  const y = Math.max(panel.top + 3.6, panel.baseline - 6);
  add(group, "text", { x: short(xAt(panel.from) + 0.8), y: short(y), class: "name" }, panel.name);
}

/** The first and last sample of a panel. */
const samplesOf = ({ from, to }, count) => [
  Math.ceil(from * data.rate - 1e-6), Math.min(Math.ceil(to * data.rate - 1e-6), count - 1),
];

/** A line through the samples of a panel, with a gap where they are not valid. */
function tracingPath(microvolts, panel) {
  const [first, last] = samplesOf(panel, microvolts.length);
  let d = "";
  let drawing = false;
  for (let sample = first; sample <= last; sample += 1) {
    const value = microvolts[sample];
    if (value !== null) {
      const point = `${x(sample / data.rate)} ${yOf(value / 1000, panel)}`;
      d += drawing ? `L${point}` : `M${point}h0`; // the line of no length is the dot of a lonely sample
    }
    drawing = value !== null;
  }
  return d;
}

/** A triangle at each time that a tracing leaves its panel, where it is cut. */
function cutsPath(microvolts, panel) {
  const [first, last] = samplesOf(panel, microvolts.length);
  let d = "";
  let before = 0;
  for (let sample = first; sample <= last; sample += 1) {
    const value = microvolts[sample];
    const at = value === null ? panel.baseline : unlimited(value / 1000, panel);
    const side = at < panel.top - 0.01 ? -1 : at > panel.bottom + 0.01 ? 1 : 0;
    if (side && side !== before) {
      const edge = side < 0 ? panel.top : panel.bottom;
      d += `M${x(sample / data.rate)} ${short(edge)}l1 ${-1.6 * side}h-2z`;
    }
    before = side;
  }
  return d;
}

const unlimited = (voltage, panel) => panel.baseline - view.gain * (voltage - panel.middle);

/** Where a voltage lies, within the lead's panel. */
function yOf(voltage, panel) {
  return short(Math.min(Math.max(unlimited(voltage, panel), panel.top), panel.bottom));
}

function drawBeats() {
  const group = byId("beats");
  group.replaceChildren();
  if (!byId("marks-on").checked) return;
  data.beats.forEach(([time, rr, , usual], index) => {
    if (time < view.start || time > viewEnd()) return;
    add(group, "path", { class: usual ? "beat" : "beat other", d: `M${x(time)} 0V${sheet.height}` });
    const before = index ? data.beats[index - 1][0] : -1;
    if (before < view.start) return;
    const place = { x: x((time + before) / 2), y: 3, class: "interval", "text-anchor": "middle" };
    add(group, "text", place, `${rr}`);
  });
}
