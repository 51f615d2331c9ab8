// The median beat of each lead, over the mean of the chosen map around the usual beats.

const CELL = { width: 28, gap: 2, most: 40, gain: 10, speed: 25 };

/** The mean of a map around the usual beats, thousandths, at the steps of a median beat. */
function mapAroundBeats(values, count) {
  const usual = data.beats.filter(([, , , usual]) => usual);
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
  const high = Math.min(CELL.gain * (top - low) + 4, CELL.most);
  const scale = (high - 4) / (top - low || 1);
  const map = mapAroundBeats(chosen().activation, known.length / leads.filter((lead) => lead).length);
  const highest = Math.max(...map);
  leads.forEach((lead, index) => {
    const cell = {
      left: Math.floor(index / 3) * (CELL.width + CELL.gap),
      top: (index % 3) * (high + 5),
      wide: (CELL.speed * map.length) / rate,
      baseline: 2 + scale * top,
    };
    const group = add(svg, "g", { transform: `translate(${cell.left} ${short(cell.top + 5)})` });
    map.forEach((value, step) => {
      if (step % 5 || value <= 0 || !highest || !state.mapOn) return;
      const opaque = short((0.6 * value) / highest);
      const place = { x: short((CELL.speed * step) / rate), width: short((CELL.speed * 5) / rate), height: short(high) };
      add(group, "rect", { ...place, class: "shade", "fill-opacity": opaque });
    });
    let grid = "";
    for (let at = 0; at <= cell.wide; at += 5) grid += `M${at} 0V${short(high)}`;
    for (let at = cell.baseline % 5; at <= high; at += 5) grid += `M0 ${short(at)}H${short(cell.wide)}`;
    add(group, "path", { class: "thick", d: grid });
    const lines = marks.map(([, time]) => `M${short(CELL.speed * (time + before))} 0V${short(high)}`).join("");
    add(group, "path", { class: "wave-mark", d: lines });
    add(group, "text", { x: 0.3, y: -0.8, class: "name" }, data.leads[index].name);
    if (!lead) return;
    const points = lead.map((value, step) => `${short((CELL.speed * step) / rate)} ${short(cell.baseline - (scale * value) / 1000)}`);
    add(group, "path", { class: "ink", d: `M${points.join("L")}` });
  });
  svg.setAttribute("viewBox", `0 0 ${4 * (CELL.width + CELL.gap)} ${short(3 * (high + 5) + 1)}`);
  const usual = data.beats.filter(([, , , usual]) => usual).length;
  const squeezed = scale < CELL.gain ? `, ${short(scale)} mm/mV` : "";
  byId("median-hint").textContent =
    `Of ${usual} of ${data.beats.length} beats${squeezed}; dashed: what was measured (P, QRS, end of T)` +
    (state.mapOn ? "; blue: the map around these beats, its mean" : "");
}
