// One lead in lines of a minute, around the time that is chosen.

const LINE = { seconds: 60, height: 34, count: 6 };
const LINE_MV = 3; // of a line's height

const minutes = { first: 0 };

const lineAt = (time) => Math.floor(time / LINE.seconds);

function drawMinutes() {
  byId("lead-title").textContent = data.lead ? `Lead ${data.lead.name}` : "No lead is shown as a whole";
  const canvas = byId("minutes");
  canvas.hidden = !data.lead;
  if (!data.lead) return;
  const { pen, width } = prepareCanvas(canvas, LINE.count * LINE.height + 4);
  const left = 70;
  const x = (time, line) => left + ((width - left) * (time - line * LINE.seconds)) / LINE.seconds;
  for (let row = 0; row < LINE.count; row += 1) {
    const line = minutes.first + row;
    if (line * LINE.seconds >= data.seconds) break;
    drawMinute(pen, line, row * LINE.height + 4, (time) => x(time, line));
  }
}

function drawMinute(pen, line, top, x) {
  const [from, to] = [line * LINE.seconds, Math.min((line + 1) * LINE.seconds, data.seconds)];
  for (const lane of data.lanes) {
    pen.fillStyle = colour(lane.red ? "alarm" : "pale");
    for (const [start, end] of lane.parts) {
      if (end > from && start < to) pen.fillRect(x(Math.max(start, from)), top, x(Math.min(end, to)) - x(Math.max(start, from)), LINE.height);
    }
  }
  pen.fillStyle = colour("grey");
  pen.fillText(timeText(from), 0, top + LINE.height / 2 + 4);
  drawMinuteTracing(pen, from, to, top + LINE.height / 2 + 3, x);
  drawSymbols(pen, from, to, top + 9, x);
  if (shownStart() < to && shownStart() + SHOWN > from) {
    pen.strokeStyle = colour("ink");
    pen.lineWidth = 1.5;
    const [start, end] = [x(Math.max(shownStart(), from)), x(Math.min(shownStart() + SHOWN, to))];
    pen.strokeRect(start, top, end - start, LINE.height - 1);
  }
}

function drawMinuteTracing(pen, from, to, middle, x) {
  const values = wholeLead();
  const { rate, step } = data.lead;
  const scale = (LINE.height * step) / 1000 / LINE_MV;
  pen.strokeStyle = colour("ink");
  pen.lineWidth = 0.8;
  pen.beginPath();
  let drawing = false;
  for (let at = Math.round(from * rate); at < Math.min(Math.round(to * rate), values.length); at += 1) {
    if (values[at]) {
      const y = middle - within(scale * (values[at] - 128), -LINE.height / 2, LINE.height / 2);
      if (drawing) pen.lineTo(x(at / rate), y);
      else pen.moveTo(x(at / rate), y);
    }
    drawing = values[at] !== 0;
  }
  pen.stroke();
}

function drawSymbols(pen, from, to, y, x) {
  const colours = { V: colour("red"), A: colour("blue"), "/": colour("green"), Q: colour("grey") };
  pen.textAlign = "center";
  for (let index = firstBeat(from); index < firstBeat(to); index += 1) {
    const symbol = beats.symbols[index];
    if (!(symbol in colours)) continue;
    pen.fillStyle = colours[symbol];
    pen.fillText(symbol, x(beats.times[index]), y);
  }
  pen.textAlign = "left";
}

/** Show lines with a time in them, not before the second one where there are some before it. */
function revealLine(time) {
  const line = lineAt(time);
  if (line < minutes.first || line > minutes.first + LINE.count - 2) minutes.first = Math.max(0, line - 1);
  drawMinutes();
}

function turnMinutes(way) {
  const last = Math.max(0, lineAt(data.seconds - 1) - LINE.count + 1);
  minutes.first = within(minutes.first + way * (LINE.count - 1), 0, last);
  drawMinutes();
}

function listenToMinutes(seek) {
  const canvas = byId("minutes");
  canvas.addEventListener("click", (event) => {
    const share = within((event.offsetX - 70) / (canvas.clientWidth - 70), 0, 0.9999);
    const line = minutes.first + Math.floor((event.offsetY - 4) / LINE.height);
    seek(within((line + share) * LINE.seconds, 0, data.seconds));
  });
  byId("minutes-before").addEventListener("click", () => turnMinutes(-1));
  byId("minutes-after").addEventListener("click", () => turnMinutes(1));
}
