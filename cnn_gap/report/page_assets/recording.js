// The recording: the times, rates and kinds of its beats, and its one whole lead.

const HOUR = 3600;

const beats = decodeBeats(data.beats);

/** Times (s), kinds and the heart rate before each beat (/min, NaN where it is not known). */
function decodeBeats({ ms, symbols, unknown }) {
  const times = new Float64Array(ms.length);
  const rates = new Float64Array(ms.length);
  let at = 0;
  ms.forEach((since, index) => {
    at += since;
    times[index] = at / 1000;
    rates[index] = index && since ? 60000 / since : NaN;
  });
  for (const index of unknown) rates[index] = NaN;
  return { times, symbols, rates };
}

/** The index of the first beat from a time on. */
function firstBeat(time) {
  let [low, high] = [0, beats.times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (beats.times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Bytes of base64. */
function bytesOf(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

let levels = null;

/** The levels of the whole lead, decoded when they are first needed. */
function wholeLead() {
  levels ??= data.lead ? bytesOf(data.lead.levels) : new Uint8Array(0);
  return levels;
}

const two = (number) => String(number).padStart(2, "0");

/** A time by the clock, or from the start where that is not known. */
function timeText(seconds) {
  const whole = Math.round((data.day_s ?? 0) + seconds);
  const [hours, minutes, rest] = [Math.floor(whole / HOUR), Math.floor(whole / 60) % 60, whole % 60];
  if (data.day_s === null) return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  const day = Math.floor(hours / 24);
  return `${two(hours % 24)}:${two(minutes)}:${two(rest)}${day ? ` (day ${day + 1})` : ""}`;
}

const within = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

/** A canvas that fills its width, sharp on any screen, and its colours. */
function prepareCanvas(canvas, height) {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, sans-serif";
  return { pen, width, height };
}

const colour = (name) => getComputedStyle(document.body).getPropertyValue(`--${name}`).trim();
