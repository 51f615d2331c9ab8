// The overview: heart rate, lanes of rhythms, premature beats, pauses and quality, over the whole recording or a part.

const GUTTER = 150; // pixels for names
const LANE = 15;
const RATES = { height: 130, least: 20, step: 20 };
const LEAST_PART = 30; // s
const TICKS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
const PAUSE = 2.5; // s

const part = { from: 0, to: data.seconds };
const state = { time: 0, event: null, dragged: null };

const across = (time, width) => GUTTER + ((width - GUTTER) * (time - part.from)) / (part.to - part.from);
const timeAt = (x, width) => part.from + ((part.to - part.from) * (x - GUTTER)) / (width - GUTTER);

const marked = [
  { name: "Ventricular beats", colour: "red", has: (index) => beats.symbols[index] === "V" },
  { name: "Atrial beats", colour: "blue", has: (index) => beats.symbols[index] === "A" },
  { name: "Pauses", colour: "ink", has: (index) => beats.rates[index] <= 60 / PAUSE },
];

const overviewHeight = () => RATES.height + (data.lanes.length + marked.length + 1) * LANE + 22;

function drawOverview() {
  const { pen, width, height } = prepareCanvas(byId("overview"), overviewHeight());
  const ink = colour("ink");
  drawAxis(pen, width, height);
  drawRates(pen, width);
  let top = RATES.height;
  for (const lane of data.lanes) {
    drawParts(pen, width, top, lane.parts, colour(lane.red ? "red" : "blue"));
    nameLane(pen, lane.name, top);
    top += LANE;
  }
  for (const each of marked) {
    drawMarked(pen, width, top, each);
    nameLane(pen, each.name, top);
    top += LANE;
  }
  drawParts(pen, width, top, data.lost, colour("grey"));
  nameLane(pen, "Not analysed", top);
  pen.strokeStyle = ink;
  pen.lineWidth = 1.5;
  line(pen, across(state.time, width), 0, across(state.time, width), height - 18);
}

function line(pen, x, y, toX, toY) {
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(toX, toY);
  pen.stroke();
}

function nameLane(pen, name, top) {
  pen.fillStyle = colour("ink");
  pen.fillText(name, 0, top + LANE - 4, GUTTER - 6);
}

function drawAxis(pen, width, height) {
  const seconds = part.to - part.from;
  const step = TICKS.find((each) => (each * (width - GUTTER)) / seconds > 75) ?? TICKS.at(-1);
  const shift = (data.day_s ?? 0) % step;
  pen.strokeStyle = colour("line");
  pen.fillStyle = colour("grey");
  pen.lineWidth = 1;
  for (let at = Math.ceil((part.from + shift) / step) * step - shift; at <= part.to; at += step) {
    const x = across(at, width);
    line(pen, x, 0, x, height - 18);
    const text = data.day_s === null || step < 60 ? timeText(at) : timeText(at).replace(/:00( |$)/, "$1");
    pen.fillText(text, within(x - 14, GUTTER, width - 40), height - 5);
  }
  for (let lane = 0; lane <= data.lanes.length + marked.length + 1; lane += 1) {
    line(pen, 0, RATES.height + lane * LANE, width, RATES.height + lane * LANE);
  }
}

/** The lowest, mean and highest heart rate of each column of pixels; NaN where there is none. */
function ratesByColumn(width) {
  const count = Math.max(1, Math.floor(width - GUTTER));
  const columns = Array.from({ length: count }, () => ({ low: Infinity, high: -Infinity, sum: 0, count: 0 }));
  for (let index = firstBeat(part.from); index < firstBeat(part.to); index += 1) {
    const rate = beats.rates[index];
    if (Number.isNaN(rate)) continue;
    const column = columns[Math.min(count - 1, Math.floor(across(beats.times[index], width) - GUTTER))];
    column.low = Math.min(column.low, rate);
    column.high = Math.max(column.high, rate);
    column.sum += 60 / rate;
    column.count += 1;
  }
  return columns;
}

/** The least and the greatest rate of the axis: nearly all beats of the recording lie between. */
const rateRange = findRateRange();

function findRateRange() {
  const known = beats.rates.filter((rate) => !Number.isNaN(rate)).sort();
  if (!known.length) return [40, 120];
  const at = (share) => known[Math.round(share * (known.length - 1))];
  const low = RATES.step * Math.floor(Math.max(RATES.least, at(0.002)) / RATES.step);
  return [low, RATES.step * Math.ceil(Math.min(Math.max(at(0.998), low + 60), 300) / RATES.step)];
}

function drawRates(pen, width) {
  const [low, high] = rateRange;
  const y = (rate) => 6 + ((RATES.height - 14) * (high - within(rate, low, high))) / (high - low);
  pen.textAlign = "right";
  for (let rate = low; rate <= high; rate += high - low > 160 ? 2 * RATES.step : RATES.step) {
    pen.strokeStyle = colour("line");
    line(pen, GUTTER, y(rate), width, y(rate));
    pen.fillStyle = colour("grey");
    pen.fillText(String(rate), GUTTER - 5, y(rate) + 4);
  }
  pen.textAlign = "left";
  pen.fillStyle = colour("ink");
  pen.fillText("Heart rate, /min", 0, 14);
  const columns = ratesByColumn(width);
  pen.fillStyle = colour("band");
  columns.forEach((each, column) => {
    if (each.count) pen.fillRect(GUTTER + column, y(each.high), 1, Math.max(1, y(each.low) - y(each.high)));
  });
  pen.fillStyle = colour("deep");
  columns.forEach((each, column) => {
    if (each.count) pen.fillRect(GUTTER + column, y((60 * each.count) / each.sum) - 1, 1.5, 2);
  });
}

/** Parts as bars, each wide enough to be seen. */
function drawParts(pen, width, top, parts, fill) {
  pen.fillStyle = fill;
  for (const [start, end] of parts) {
    if (end < part.from || start > part.to) continue;
    const left = Math.max(across(start, width), GUTTER);
    pen.fillRect(left, top + 3, Math.max(2, Math.min(across(end, width), width) - left), LANE - 6);
  }
}

/** Beats of a kind: a tick each, or where they are close a bar as high as their share of the beats there. */
function drawMarked(pen, width, top, { has, colour: name }) {
  const count = Math.max(1, Math.floor(width - GUTTER));
  const [own, all] = [new Float64Array(count), new Float64Array(count)];
  for (let index = firstBeat(part.from); index < firstBeat(part.to); index += 1) {
    const column = Math.min(count - 1, Math.floor(across(beats.times[index], width) - GUTTER));
    all[column] += 1;
    if (has(index)) own[column] += 1;
  }
  pen.fillStyle = colour(name);
  own.forEach((number, column) => {
    if (!number) return;
    const high = Math.max(4, (LANE - 3) * Math.sqrt(number / all[column]));
    pen.fillRect(GUTTER + column, top + LANE - 1 - high, 1.5, high);
  });
}

// What a reader does with it

function showPart(from, to) {
  const seconds = within(to - from, Math.min(LEAST_PART, data.seconds), data.seconds);
  part.from = within((from + to - seconds) / 2, 0, data.seconds - seconds);
  part.to = part.from + seconds;
  byId("all").setAttribute("aria-pressed", seconds === data.seconds);
  drawOverview();
}

/** Shade what is dragged over. */
function markDragged(from, to) {
  drawOverview();
  const pen = byId("overview").getContext("2d");
  pen.globalAlpha = 0.25;
  pen.fillStyle = colour("blue");
  pen.fillRect(Math.min(from, to), 0, Math.abs(to - from), overviewHeight());
  pen.globalAlpha = 1;
}

function zoomPart(factor, around = state.time) {
  const inside = around >= part.from && around <= part.to ? around : (part.from + part.to) / 2;
  showPart(inside - (inside - part.from) * factor, inside + (part.to - inside) * factor);
}

const movePart = (share) => showPart(part.from + share * (part.to - part.from), part.to + share * (part.to - part.from));

function revealTime(time) {
  if (time < part.from || time > part.to) showPart(time - (part.to - part.from) / 2, time + (part.to - part.from) / 2);
}

function listenToOverview(seek) {
  const canvas = byId("overview");
  const at = (event) => timeAt(within(event.offsetX, GUTTER, canvas.clientWidth), canvas.clientWidth);
  canvas.addEventListener("pointerdown", (event) => {
    state.dragged = { from: at(event), x: event.offsetX };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", (event) => {
    const { from, x } = state.dragged ?? { from: at(event), x: event.offsetX };
    state.dragged = null;
    if (Math.abs(event.offsetX - x) > 8) showPart(Math.min(from, at(event)), Math.max(from, at(event)));
    else seek(at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (state.dragged) markDragged(across(state.dragged.from, canvas.clientWidth), event.offsetX);
  });
  canvas.addEventListener("pointercancel", () => {
    state.dragged = null;
    drawOverview();
  });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // without it the page scrolls
    event.preventDefault();
    zoomPart(event.deltaY > 0 ? 1.5 : 1 / 1.5, at(event));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -10, ArrowRight: 10 }[event.key];
    if (step) seek(state.time + step * (event.shiftKey ? 6 : 1));
    else if (event.key === "+" || event.key === "-") zoomPart(event.key === "+" ? 0.5 : 2);
    else return;
    event.preventDefault();
  });
  const buttons = { in: () => zoomPart(0.5), out: () => zoomPart(2), left: () => movePart(-0.5), right: () => movePart(0.5) };
  for (const [id, act] of Object.entries({ ...buttons, all: () => showPart(0, data.seconds) })) {
    byId(id).addEventListener("click", act);
  }
}
