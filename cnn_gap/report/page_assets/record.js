// Lengths are mm as on ECG paper, times s, voltages mV unless a name says more. Maps are shown in percent of their
// highest value, since their own unit means nothing to a reader.

const SPEED = 25;
const GAIN = 10;
const PIECE_S = 10; // tracings are drawn in pieces when they come into view, so that long records open at once
const SIDE = 15;
const ROW = { least: 10, reach: 40, quantile: 0.001 };
const CURVE = { top: 2.5, height: 14, axis: 5 };
const STRIP = { height: 3.6, gap: 0.8, most: 5 };
const SHADES = 10;
const SHADE_STEP_S = 0.02;
const KEY_STEP_S = 0.02;
const FILTERED_FROM = 30; // diagnoses that make a list long
const ZOOM = { least: 3, most: 12, step: 1.25, paper: 96 / 25.4 }; // pixels to the mm
const PRINTED = { width: 215, height: 142 };
const CELL = { width: 28, gap: 2, most: 40 };

const rows = placeRows(data.leads);
const height = rows.at(-1).bottom;
const width = SPEED * data.seconds;
const strips = data.classes.filter(({ reported }) => reported).slice(0, STRIP.most);
const stripsTop = CURVE.top + CURVE.height + 1;
const mapHeight = stripsTop + strips.length * (STRIP.height + STRIP.gap) + CURVE.axis;
const drawnPieces = new Set();
const state = { index: 0, lead: firstLead(), sample: 0, zoom: null, calipers: { on: false, points: [] } };

const chosen = () => data.classes[state.index];

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

/** Rows that have the room that their tracings take, all baselines on thick lines of the grid. */
function placeRows(leads) {
  const extents = leads.map(extent);
  const thick = (length) => 5 * Math.ceil(length / 5);
  let below = 0;
  let baseline = 0;
  const placed = extents.map(({ middle, up, down }) => {
    baseline += thick(Math.max(ROW.least, below + up + 1));
    below = down;
    return { baseline, middle };
  });
  const end = baseline + thick(Math.max(5, below));
  const edges = placed.map((row, index) => {
    if (!index) return 0;
    const [before, after] = [extents[index - 1].down + 1, extents[index].up + 1];
    const above = placed[index - 1].baseline;
    return above + ((row.baseline - above) * before) / (before + after);
  });
  return placed.map((row, index) => ({ ...row, top: edges[index], bottom: edges[index + 1] ?? end }));
}

/** Where a lead's middle is (mV) and how far nearly all of it reaches from there (mm). */
function extent({ microvolts }) {
  const values = Float64Array.from((microvolts ?? []).filter((value) => value !== null)).sort();
  if (!values.length) return { middle: 0, up: 0, down: 0 };
  const at = (share) => values[Math.round(share * (values.length - 1))] / 1000;
  const reach = (difference) => Math.min(GAIN * difference, ROW.reach);
  const middle = at(0.5);
  return { middle, up: reach(at(1 - ROW.quantile) - middle), down: reach(middle - at(ROW.quantile)) };
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
      const cuts = cutsPath(lead.microvolts, rows[index], from, to);
      if (cuts) add(byId("leads"), "path", { class: "cut", "data-lead": lead.name, d: cuts });
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

/** A triangle at each time that a tracing leaves its row, where it is cut. */
function cutsPath(microvolts, row, from, to) {
  const last = Math.min(Math.ceil(to * data.rate), microvolts.length - 1);
  let d = "";
  let before = 0;
  for (let sample = Math.floor(from * data.rate); sample <= last; sample += 1) {
    const value = microvolts[sample];
    const at = value === null ? row.baseline : unlimited(value / 1000, row);
    const side = at < row.top - 0.01 ? -1 : at > row.bottom + 0.01 ? 1 : 0;
    if (side && side !== before) {
      const edge = side < 0 ? row.top : row.bottom;
      d += `M${x(sample / data.rate)} ${short(edge)}l1 ${-1.6 * side}h-2z`;
    }
    before = side;
  }
  return d;
}

const unlimited = (voltage, row) => row.baseline - GAIN * (voltage - row.middle);

/** Where a voltage lies, within the lead's row. */
function yOf(voltage, row) {
  return short(Math.min(Math.max(unlimited(voltage, row), row.top), row.bottom));
}

function drawBeats() {
  const group = byId("beats");
  group.replaceChildren();
  if (!byId("marks-on").checked) return;
  data.beats.forEach(([time, usual], index) => {
    add(group, "path", { class: usual ? "beat" : "beat other", d: `M${x(time)} 0V${height}` });
    if (!index) return;
    const before = data.beats[index - 1][0];
    const place = { x: x((time + before) / 2), y: 3, class: "interval", "text-anchor": "middle" };
    add(group, "text", place, `${Math.round(1000 * (time - before))}`);
  });
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

/** What 100 % of a diagnosis' map is: its highest value, or its size where nothing is above 0. */
function whole({ activation }) {
  return peak(activation) || activation.reduce((most, value) => Math.max(most, -value), 0) / 1000 || 1;
}

const percent = (value, each = chosen()) => `${Math.round((100 * value) / whole(each))} %`.replace("-", "−");

function drawShades() {
  const group = byId("shades");
  group.replaceChildren();
  const { activation, parts } = chosen();
  byId("parts-label").hidden = byId("parts-hint").hidden = !parts;
  const byLead = parts && byId("parts").checked;
  const bands = byLead
    ? rows.map((row, index) => ({ values: parts[index], ...row }))
    : [{ values: activation, top: 0, bottom: height }];
  const highest = Math.max(...bands.map(({ values }) => peak(values)));
  const what = byLead ? "where the score would rise with the lead's signal" : "what speaks for the diagnosis";
  byId("range").textContent = highest ? `${what}, 0 to 100 % of the highest value` : "nothing speaks for the diagnosis";
  for (const band of bands) shade(group, band, highest);
}

function shade(group, band, highest) {
  shadePaths(band, highest).forEach((d, each) => {
    if (d) add(group, "path", { d, class: "shade", "fill-opacity": opacity(each) });
  });
}

const opacity = (shade) => short((0.6 * (shade + 1)) / SHADES);

/** One path for each shade of a band, the darker the higher the map; none where it is not above 0. */
function shadePaths({ values, top, bottom }, highest) {
  const paths = Array(SHADES).fill("");
  if (!highest) return paths;
  const steps = Math.ceil(data.seconds / SHADE_STEP_S);
  const shadeAt = (step) => Math.ceil((SHADES * valueAt(values, (step + 0.5) * SHADE_STEP_S)) / highest) - 1;
  let begun = 0;
  for (let step = 1, shade = shadeAt(0); step <= steps; step += 1) {
    const next = step < steps ? shadeAt(step) : null;
    if (next === shade) continue;
    const end = Math.min(step * SHADE_STEP_S, data.seconds);
    if (shade >= 0) paths[shade] += `M${x(begun)} ${short(top)}H${x(end)}V${short(bottom)}H${x(begun)}z`;
    [begun, shade] = [end, next];
  }
  return paths;
}

/** The maps of all that is reported, as rows under the curve, each in percent of its own highest value. */
function drawStrips() {
  const group = byId("strips");
  strips.forEach(({ activation, abbreviation }, index) => {
    const top = stripsTop + index * (STRIP.height + STRIP.gap);
    shade(group, { values: activation, top, bottom: top + STRIP.height }, peak(activation));
    add(group, "rect", { class: "strip", y: top, width: short(width), height: STRIP.height });
    const name = add(byId("scale"), "text", { x: 1, y: top + STRIP.height - 0.9, class: "strip-name" }, abbreviation);
    name.addEventListener("click", () => choose(data.classes.indexOf(strips[index])));
  });
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

function drawAxis() {
  const svg = byId("map");
  resize(svg, width, mapHeight);
  resize(byId("scale"), SIDE, mapHeight);
  for (let second = 0; second <= data.seconds; second += 1) {
    add(svg, "path", { class: "axis", d: `M${SPEED * second} ${mapHeight - CURVE.axis}v1` });
    const anchor = second === 0 ? "start" : SPEED * second > width - 5 ? "end" : "middle";
    add(svg, "text", { x: SPEED * second, y: mapHeight - 0.8, "text-anchor": anchor }, `${second} s`);
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

// The median beat

/** The mean of a map around the usual beats, thousandths, at the steps of a median beat. */
function mapAroundBeats(values, count) {
  const usual = data.beats.filter(([, like]) => like);
  const { rate, before } = data.median;
  return Array.from({ length: count }, (_, step) => {
    const offset = step / rate - before;
    const times = usual.map(([time]) => time + offset).filter((time) => time >= 0 && time <= data.seconds);
    return times.length ? times.reduce((sum, time) => sum + valueAt(values, time), 0) / times.length : 0;
  });
}

function drawMedian() {
  byId("median-section").hidden = !data.median;
  if (!data.median) return;
  const { rate, before, leads, marks } = data.median;
  const svg = byId("median");
  svg.replaceChildren();
  const known = leads.filter((lead) => lead).flat();
  const [top, low] = [Math.max(...known) / 1000, Math.min(...known) / 1000];
  const high = Math.min(GAIN * (top - low) + 4, CELL.most);
  const scale = (high - 4) / (top - low || 1);
  const map = mapAroundBeats(chosen().activation, known.length / leads.filter((lead) => lead).length);
  const highest = Math.max(...map);
  leads.forEach((lead, index) => {
    const cell = {
      left: Math.floor(index / 3) * (CELL.width + CELL.gap),
      top: (index % 3) * (high + 5),
      wide: (SPEED * map.length) / rate,
      baseline: 2 + scale * top,
    };
    const group = add(svg, "g", { transform: `translate(${cell.left} ${short(cell.top + 5)})` });
    map.forEach((value, step) => {
      if (step % 5 || value <= 0 || !highest) return;
      const opaque = short((0.6 * value) / highest);
      const place = { x: short((SPEED * step) / rate), width: short((SPEED * 5) / rate), height: short(high) };
      add(group, "rect", { ...place, class: "shade", "fill-opacity": opaque });
    });
    let grid = "";
    for (let at = 0; at <= cell.wide; at += 5) grid += `M${at} 0V${short(high)}`;
    for (let at = cell.baseline % 5; at <= high; at += 5) grid += `M0 ${short(at)}H${short(cell.wide)}`;
    add(group, "path", { class: "thick", d: grid });
    const lines = marks.map(([, time]) => `M${short(SPEED * (time + before))} 0V${short(high)}`).join("");
    add(group, "path", { class: "wave-mark", d: lines });
    add(group, "text", { x: 0.3, y: -0.8, class: "name" }, data.leads[index].name);
    if (!lead) return;
    const points = lead.map((value, step) => `${short((SPEED * step) / rate)} ${short(cell.baseline - (scale * value) / 1000)}`);
    add(group, "path", { class: "ink", d: `M${points.join("L")}` });
  });
  svg.setAttribute("viewBox", `0 0 ${4 * (CELL.width + CELL.gap)} ${short(3 * (high + 5) + 1)}`);
  const usual = data.beats.filter(([, like]) => like).length;
  const squeezed = scale < GAIN ? `, ${short(scale)} mm/mV` : "";
  byId("median-hint").textContent =
    `Of ${usual} of ${data.beats.length} beats${squeezed}; dashed: what was measured (P, QRS, end of T); ` +
    `blue: the map around these beats, its mean`;
}

// The lists

function listMeasured() {
  const list = byId("measured");
  const values = data.measured.length ? data.measured : [["nothing that can be trusted", ""]];
  add(list, "dt", { class: "what" }, "Measured automatically");
  for (const [name, value] of values) {
    const item = add(list, "div");
    add(item, "dt", {}, name);
    add(item, "dd", {}, value);
  }
  byId("cautions").textContent = data.cautions.join(". ");
  byId("cautions").hidden = !data.cautions.length;
}

function listDiagnoses() {
  const list = byId("diagnoses");
  let group = null;
  data.classes.forEach((each, index) => {
    if (each.group !== group) add(list, "li", { class: "group", role: "presentation" }, each.group);
    group = each.group;
    const item = add(list, "li", { role: "option", id: `diagnosis-${index}`, class: each.reported ? "reported" : "" });
    add(item, "span", { class: "name" }, each.name);
    add(item, "span", { class: "codes" }, [each.abbreviation, each.system, ...each.codes].join(" · "));
    add(item, "span", { class: "verdict" }, compared(each));
    const meter = add(item, "span", { class: "meter" });
    add(meter, "span", { class: "fill" }).style.width = `${100 * each.probability}%`;
    if (each.threshold !== null) add(meter, "span", { class: "tick" }).style.left = `${100 * each.threshold}%`;
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
      item.hidden = !item.textContent.toLowerCase().includes(wanted);
      if (!item.hidden) heading.hidden = false;
    }
  }
}

function compared({ probability, threshold, verdict }) {
  if (threshold === null) return `${probability.toFixed(3)}: ${verdict}`;
  return `${probability.toFixed(3)} ${probability < threshold ? "<" : "≥"} ${threshold.toFixed(3)}: ${verdict}`;
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
  const { regions, level } = chosen();
  byId("level").textContent = peak(chosen().activation)
    ? `Above ${percent(level)} of the map's highest value; mean there`
    : "Nothing speaks for it; where the least speaks against it";
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
  byId("shares-section").hidden = !shares;
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

function drawColours() {
  const svg = byId("colours");
  resize(svg, 3 * SHADES, 3);
  for (let shade = 0; shade < SHADES; shade += 1) {
    add(svg, "path", { class: "shade", "fill-opacity": opacity(shade), d: `M${3 * shade} 0h3v3h-3z` });
  }
}

// What is done

/** Show the map of a class; its place in the list comes into view, but not when the page opens, from its top. */
function choose(index, reveal = true) {
  state.index = index;
  const { name, abbreviation } = chosen();
  byId("shown").textContent = name === abbreviation ? name : `${name} (${abbreviation})`;
  byId("verdict").textContent = `probability ${compared(chosen())}`;
  byId("diagnoses").setAttribute("aria-activedescendant", `diagnosis-${index}`);
  data.classes.forEach((_, each) => byId(`diagnosis-${each}`).setAttribute("aria-selected", each === index));
  if (reveal) byId(`diagnosis-${index}`).scrollIntoView({ block: "nearest" });
  for (const draw of [drawShades, drawCurve, drawMarks, drawMedian, listRegions, listShares]) draw();
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
  byId("activation").textContent = `${chosen().abbreviation} map: ${percent(valueAt(chosen().activation, time))}`;
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

/** Set how many pixels a mm of paper takes; ten seconds and the names fit where it is null. */
function zoom(pixels) {
  const { left, right } = viewed();
  const sheet = byId("sheet");
  const limit = (value) => Math.min(Math.max(value, ZOOM.least), ZOOM.most);
  state.zoom = pixels === null ? null : limit(pixels);
  const fitting = limit((sheet.offsetWidth - 18) / (SIDE + SPEED * Math.min(data.seconds, PIECE_S)));
  sheet.style.setProperty("--mm", `${state.zoom ?? fitting}px`);
  byId("fit").setAttribute("aria-pressed", state.zoom === null);
  byId("paper").textContent = `${SPEED} mm/s, ${GAIN} mm/mV`;
  const half = (sheet.clientWidth - SIDE * pixelsPerMm()) / 2;
  sheet.scrollLeft = pixels === null ? left * SPEED * pixelsPerMm() : ((left + right) / 2) * SPEED * pixelsPerMm() - half;
  drawPieces();
}

// Calipers

function toggleCalipers(on) {
  state.calipers = { on, points: [] };
  byId("measure").setAttribute("aria-pressed", on);
  drawCalipers();
}

/** Set a point; the third one begins anew. */
function placeCaliper(time, y, row) {
  const { points } = state.calipers;
  const point = { time, y, row, voltage: rows[row].middle + (rows[row].baseline - y) / GAIN };
  state.calipers.points = points.length < 2 ? [...points, point] : [point];
  drawCalipers();
}

function drawCalipers() {
  const { on, points } = state.calipers;
  const lines = points.map(({ time, y, row }) => {
    const { top, bottom } = rows[row];
    return `M${x(time)} ${short(top)}V${short(bottom)}M${short(Math.max(0, SPEED * time - 12))} ${short(y)}h24`;
  });
  const between = points.length === 2 ? [`M${x(points[0].time)} ${short(points[0].y)}H${x(points[1].time)}`] : [];
  byId("caliper-lines").setAttribute("d", [...lines, ...between].join(""));
  byId("calipers").textContent = on ? caliperText(points) : "";
}

function caliperText([first, second]) {
  if (!second) return first ? "calipers: set the second point" : "calipers: set two points";
  const seconds = Math.abs(second.time - first.time);
  const words = [`${Math.round(1000 * seconds)} ms`];
  if (seconds > 0) words.push(`${Math.round(60 / seconds)}/min`);
  if (first.row === second.row) words.push(`${(second.voltage - first.voltage).toFixed(2)} mV`.replace("-", "−"));
  return `calipers: ${words.join(", ")}`;
}

function place(event) {
  const box = byId("tracings").getBoundingClientRect();
  const down = (event.clientY - box.top) / pixelsPerMm();
  const row = rows.findIndex(({ bottom }) => down < bottom);
  const onTracings = byId("tracings").contains(event.target) && row >= 0;
  return { time: (event.clientX - box.left) / pixelsPerMm() / SPEED, down, row: onTracings ? row : null };
}

function point(event) {
  const { time, row } = place(event);
  byId("readout").setAttribute("aria-live", "off");
  moveCursor(Math.round(time * data.rate), row ?? state.lead);
}

function click(event) {
  point(event);
  const { time, down, row } = place(event);
  if (state.calipers.on && row !== null) placeCaliper(time, down, row);
}

function press(event) {
  const { key } = event;
  if (key === "c" || key === "C") toggleCalipers(!state.calipers.on);
  else if (key === "Escape") toggleCalipers(false);
  else if (key === "Enter" && state.calipers.on) placeByKey();
  else if (key === "+" || key === "-") zoom(pixelsPerMm() * (key === "+" ? ZOOM.step : 1 / ZOOM.step));
  else moveByKey(event);
}

function placeByKey() {
  const value = data.leads[state.lead].microvolts?.[state.sample] ?? null;
  const row = rows[state.lead];
  byId("readout").setAttribute("aria-live", "polite");
  placeCaliper(state.sample / data.rate, value === null ? row.baseline : unlimited(value / 1000, row), state.lead);
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
  for (const id of ["shades", "grid", "beats", "leads"]) add(tracings, "g", { id });
  add(tracings, "path", { id: "marks" });
  add(tracings, "path", { id: "caliper-lines" });
  add(tracings, "rect", { class: "highlight", y: 0.4, height: height - 0.8 });
  add(tracings, "path", { class: "cursor" });
  add(tracings, "circle", { id: "dot", r: 0.9 });
  const map = byId("map");
  const clip = add(map, "clipPath", { id: "clip" });
  add(clip, "rect", { id: "above-level", width: short(width) });
  for (const [name, attributes] of [
    ["path", { id: "above", "clip-path": "url(#clip)" }],
    ["path", { id: "zero", class: "axis" }],
    ["path", { id: "level-line" }],
    ["path", { id: "curve" }],
    ["g", { id: "strips" }],
    ["rect", { class: "highlight", y: -1, height: mapHeight - CURVE.axis + 1 }],
    ["path", { class: "cursor" }],
  ]) add(map, name, attributes);
  add(byId("scale"), "g", { id: "ticks" });
  const printed = Math.min(PRINTED.width / (SIDE + SPEED * PIECE_S), PRINTED.height / (height + mapHeight));
  byId("sheet").style.setProperty("--printed", `${printed.toFixed(3)}mm`);
  byId("printed-scale").textContent = `printed at ${(printed * SPEED).toFixed(1)} mm/s, ${(printed * GAIN).toFixed(1)} mm/mV`;
}

function listen() {
  const sheet = byId("sheet");
  sheet.addEventListener("scroll", drawPieces);
  for (const id of ["tracings", "map"]) {
    byId(id).addEventListener("pointermove", point);
    byId(id).addEventListener("click", click); // a tap, too
  }
  sheet.addEventListener("keydown", press);
  byId("parts").addEventListener("change", drawShades);
  byId("marks-on").addEventListener("change", drawBeats);
  byId("measure").addEventListener("click", () => toggleCalipers(!state.calipers.on));
  byId("larger").addEventListener("click", () => zoom(pixelsPerMm() * ZOOM.step));
  byId("smaller").addEventListener("click", () => zoom(pixelsPerMm() / ZOOM.step));
  byId("fit").addEventListener("click", () => zoom(null));
  addEventListener("resize", () => zoom(state.zoom));
}

prepare();
listMeasured();
drawNames();
drawAxis();
drawStrips();
drawColours();
zoom(null);
listDiagnoses();
listen();
choose(0, false);
