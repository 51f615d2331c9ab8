// Where leads lie on the sheet. Lengths are mm as on ECG paper, times s, voltages mV unless a name says more.
// Rows share one axis of time: leads side by side follow each other in time, so one map lies under all of them.

const SIDE = 15; // before the tracings, for the calibration pulse
const EDGE = 3; // behind them
const PAPER = 250; // of tracings
const LARGE = 125; // of tracings where there is one lead alone
const FOOT = 8; // under the tracings, for time and scale
const ROW = { least: 5, usual: 25, reach: 45, edge: 20, quantile: 0.001 };
const FEW_ROWS = 4; // have at least the usual distance
const HIGHEST = 138; // of a sheet that fits one page of A4 together with its heading
const LOOKED_AT = 60; // parts of a long record by which rows are placed
const PART_S = 10;

const view = { rows: "3x4", lead: "II", speed: 25, gain: 10, start: data.start, height: HIGHEST };

const recorded = data.leads.filter(({ microvolts }) => microvolts).map(({ name }) => name);
const leadIndex = (name) => data.leads.findIndex((lead) => lead.name === name);

/** The leads of each row, from left to right. */
function leadRows() {
  if (view.rows === "one") return [[view.lead]];
  if (view.rows === "recorded") return recorded.map((name) => [name]);
  const rows = data.layouts[view.rows];
  return view.rows === "3x4" ? [...rows, [data.rhythm]] : rows;
}

/** How many seconds the sheet shows; a short record fills it less. */
function shownSeconds() {
  return Math.min((view.rows === "one" ? LARGE : PAPER) / view.speed, data.seconds);
}

const viewEnd = () => Math.min(view.start + shownSeconds(), data.seconds);
const paperWidth = () => SIDE + view.speed * shownSeconds() + EDGE;

const short = (number) => String(Number(number.toFixed(2)));
const xAt = (time) => SIDE + view.speed * (time - view.start);
const x = (time) => short(xAt(time));

/** The samples of a lead from a time to another, sorted, mV. */
function sortedValues(name, from, to) {
  const values = data.leads[leadIndex(name)].microvolts ?? [];
  const part = values.slice(Math.floor(from * data.rate), Math.ceil(to * data.rate));
  return Float64Array.from(part.filter((value) => value !== null)).sort().map((value) => value / 1000);
}

const quantile = (sorted, share) => sorted[Math.round(share * (sorted.length - 1))];
const middleOf = (sorted) => (sorted.length ? quantile(sorted, 0.5) : 0);

/** How far nearly all of a lead reaches above and below its middle, mV, in nearly all parts of the record. */
const extents = new Map(data.leads.map(({ name }) => [name, extentOf(name)]));

function extentOf(name) {
  const count = Math.max(1, Math.ceil(data.seconds / PART_S - 0.1));
  const looked = Math.min(count, LOOKED_AT);
  const [ups, downs] = [[], []];
  for (let part = 0; part < looked; part += 1) {
    const from = PART_S * Math.floor((part * count) / looked);
    const sorted = sortedValues(name, from, from + PART_S);
    if (!sorted.length) continue;
    ups.push(quantile(sorted, 1 - ROW.quantile) - middleOf(sorted));
    downs.push(middleOf(sorted) - quantile(sorted, ROW.quantile));
  }
  const usual = (values) => (values.length ? values.sort((one, other) => one - other)[Math.floor(0.9 * (values.length - 1))] : 0);
  return { up: usual(ups), down: usual(downs) };
}

/** The panels of the sheet, each a lead for some time, with its place; `height` is that of all rows. */
function placePanels() {
  const rows = leadRows();
  const reach = (name, side) => Math.min(view.gain * extents.get(name)[side], ROW.reach);
  const up = rows.map((row) => row.map((name, column) => Math.max(reach(name, "up"), column ? 0 : view.gain) + 1));
  const down = rows.map((row) => row.map((name) => reach(name, "down") + 1));
  const { baselines, height, gaps, squeezed } = placeBaselines(up, down);
  const each = shownSeconds();
  const panels = rows.flatMap((row, index) => row.map((name, column) => {
    const from = view.start + (each * column) / row.length;
    const to = Math.min(view.start + (each * (column + 1)) / row.length, data.seconds);
    const share = (one, other) => one / (one + other);
    const above = index && beside(down[index - 1], row.length, column);
    const below = index + 1 < rows.length && beside(up[index + 1], row.length, column);
    const top = index ? baselines[index] - gaps[index - 1] * share(up[index][column], above) : 0;
    const last = index + 1 === rows.length;
    const bottom = last ? height : baselines[index] + gaps[index] * share(down[index][column], below);
    return {
      name, row: index, from, to,
      baseline: baselines[index],
      middle: middleOf(sortedValues(name, from, to)),
      top: squeezed ? Math.max(0, baselines[index] - ROW.reach) : top,
      bottom: squeezed ? Math.min(height, baselines[index] + ROW.reach) : bottom,
    };
  }));
  return { panels, height, baselines };
}

/** The greatest of a row's lengths above or below a column of another row that has `columns`. */
function beside(lengths, columns, column) {
  const first = Math.floor((column * lengths.length) / columns);
  const end = Math.ceil(((column + 1) * lengths.length) / columns);
  return Math.max(...lengths.slice(first, end));
}

/** Baselines on thick lines of the grid; nearer to each other, on thin lines, where the sheet would be too high. */
function placeBaselines(up, down) {
  const thick = (length) => 5 * Math.ceil(length / 5);
  let first = thick(Math.max(...up[0]));
  let last = thick(Math.max(ROW.least, ...down.at(-1)));
  let gaps = up.slice(1).map((lengths, index) => {
    const columns = Math.max(lengths.length, down[index].length);
    const needed = Array.from({ length: columns }, (_, column) =>
      beside(down[index], columns, column) + beside(lengths, columns, column));
    return thick(Math.max(up.length > FEW_ROWS ? 2 * ROW.least : ROW.usual, ...needed));
  });
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const squeezed = first + sum(gaps) + last > view.height;
  if (squeezed) {
    [first, last] = [Math.min(first, ROW.edge), Math.min(last, ROW.edge)];
    const share = (view.height - first - last) / sum(gaps);
    if (share < 1) gaps = gaps.map((gap) => Math.max(ROW.least, Math.floor(gap * share)));
  }
  const baselines = gaps.reduce((placed, gap) => [...placed, placed.at(-1) + gap], [first]);
  return { baselines, gaps, squeezed, height: baselines.at(-1) + last };
}
