// Ten seconds in the frame: a strip on all its leads with maps, or elsewhere the one whole lead.

const SHOWN = 10; // s
const NOT_VALID = -32768;

const shown = { start: 0, strip: null, map: null };
const shownStart = () => shown.start;

/** The strip that shows a time best: its middle is nearest; null if none has it, or only at its edge. */
function stripAt(time) {
  const near = data.strips.map(({ start }, index) => ({ index, off: Math.abs(time - start - SHOWN / 2) }));
  const best = near.sort((one, other) => one.off - other.off)[0];
  return best && best.off < SHOWN / 2 - 1 ? best.index : null;
}

function showStrip(index) {
  const strip = data.strips[index];
  const leads = stripLeads(strip);
  Object.assign(shown, { start: strip.start, strip: index });
  fillFrame({ ...strip, data: { ...strip.data, leads } });
  shown.map = strip.map;
  const about = data.strips.length ? `strip ${index + 1} of ${data.strips.length}, with maps` : "";
  byId("shown").textContent = `${timeText(strip.start)}: ${strip.title}`;
  byId("about").textContent = about;
}

/** The leads of a strip as the page of a short record takes them. */
function stripLeads({ signal, recorded, data: { samples } }) {
  const values = new Int16Array(bytesOf(signal).buffer);
  let row = 0;
  return data.leads.map((name, index) => {
    if (!recorded[index]) return { name, microvolts: null };
    const part = values.subarray(samples * row, samples * (row += 1));
    return { name, microvolts: Array.from(part, (value) => (value === NOT_VALID ? null : value)) };
  });
}

/** Ten seconds of the whole lead around a time, without a map. */
function showLead(time) {
  const start = within(time - SHOWN / 2, 0, data.seconds - SHOWN);
  Object.assign(shown, { start, strip: null, map: null });
  byId("shown").textContent = timeText(start);
  byId("about").textContent = data.lead ? `lead ${data.lead.name} alone; events marked “strip” have all leads and maps` : "";
  if (data.lead) fillFrame({ start, title: "", measured: "", reading: "", data: leadPage(start) });
}

function leadPage(start) {
  const { rate, step, name } = data.lead;
  const first = Math.round(start * rate);
  const part = wholeLead().subarray(first, first + SHOWN * rate);
  const microvolts = Array.from(part, (level) => (level ? Math.round(step * (level - 128)) : null));
  const own = [];
  for (let index = firstBeat(start); index < firstBeat(start + SHOWN); index += 1) {
    const rr = Number.isNaN(beats.rates[index]) ? null : Math.round(60000 / beats.rates[index]);
    const flags = [Number(beats.symbols[index] === "N"), Number(beats.symbols[index] === "A"), Number(beats.symbols[index] === "V"), 0];
    own.push([beats.times[index] - start, rr, null, ...flags]);
  }
  const none = { group: "", compared: "", name: "", stated: false, system: "", codes: [], words: [], probability: 0 };
  return {
    ...{ seconds: SHOWN, rate, samples: part.length, map_start: 0, map_step: 1, start: 0, rhythm: name },
    leads: data.leads.map((each) => ({ name: each, microvolts: each === name ? microvolts : null })),
    ...{ layouts: data.page.layouts, few_leads: data.page.few_leads, speeds: data.page.speeds, gains: data.page.gains },
    ...{ reading: true, answerable: false, beats: own, median: null },
    classes: [{ ...none, threshold: null, level: 0, regions: [], activation: [0], shares: null, parts: null }],
  };
}

/** Show a page of ten seconds in the frame. */
function fillFrame({ start, title, measured, reading, data: content }) {
  const places = {
    name: escaped(data.name),
    about: escaped(`${timeText(start)} to ${timeText(start + SHOWN)}${title ? `: ${title}` : ""}`),
    measured, reading,
    data: JSON.stringify(content).replaceAll("<", "\\u003c"),
  };
  byId("strip").title = `Ten seconds from ${timeText(start)}`;
  byId("strip").srcdoc = data.frame.replace(/%%(\w+)%%/g, (_, place) => places[place]);
}

/** When the page of a strip is there: show the map of what speaks of its event. */
function showMap() {
  if (shown.map !== null) byId("strip").contentDocument.getElementById(`diagnosis-${shown.map}`).click();
}

function escaped(text) {
  const element = document.createElement("p");
  element.textContent = text;
  return element.innerHTML;
}
