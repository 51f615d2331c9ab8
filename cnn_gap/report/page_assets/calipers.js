// Calipers: two points on the tracings, and the time, rate and voltage between them.

function toggleCalipers(on) {
  state.calipers = { on, points: [] };
  byId("measure").setAttribute("aria-pressed", on);
  drawCalipers();
}

/** Set a point; the third one begins anew. */
function placeCaliper(time, y, panel) {
  const { points } = state.calipers;
  const point = { time, y, panel, voltage: panel.middle + (panel.baseline - y) / view.gain };
  state.calipers.points = points.length < 2 ? [...points, point] : [point];
  drawCalipers();
}

function drawCalipers() {
  const { on, points } = state.calipers;
  const lines = points.map(({ time, y, panel: { top, bottom } }) =>
    `M${x(time)} ${short(top)}V${short(bottom)}M${short(Math.max(0, xAt(time) - 12))} ${short(y)}h24`);
  const between = points.length === 2 ? [`M${x(points[0].time)} ${short(points[0].y)}H${x(points[1].time)}`] : [];
  byId("caliper-lines").setAttribute("d", [...lines, ...between].join(""));
  byId("calipers").textContent = on ? caliperText(points) : "";
}

function caliperText([first, second]) {
  if (!second) return first ? "calipers: set the second point" : "calipers: set two points";
  const seconds = Math.abs(second.time - first.time);
  const words = [`${Math.round(1000 * seconds)} ms`];
  if (seconds > 0) words.push(`${Math.round(60 / seconds)}/min`);
  if (first.panel.name === second.panel.name) {
    words.push(`${(second.voltage - first.voltage).toFixed(2)} mV`.replace("-", "−"));
  }
  return `calipers: ${words.join(", ")}`;
}
