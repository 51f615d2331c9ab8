// What a reader does: choose an event or a time, turn to the next one, filter, print.

const buttons = [...document.querySelectorAll("#events button")];

/** Show an event: its strip, or where it has none its first seconds on one lead. */
function showEvent(index) {
  const { start, strip, title } = data.events[index];
  state.event = index;
  if (strip === null) look(start + 3, null);
  else look(start, strip);
  byId("shown").textContent = `${timeText(shown.start)}: ${title}`;
  for (const button of buttons) {
    const own = Number(button.dataset.event) === index;
    if (own) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    if (own) scrollListTo(button);
  }
}

/** Scroll the list of events alone, so that the page stays where its reader is, until an event is seen. */
function scrollListTo(button) {
  const [own, list] = [button, byId("events")].map((each) => each.getBoundingClientRect());
  if (own.top < list.top) byId("events").scrollTop -= list.top - own.top;
  else if (own.bottom > list.bottom) byId("events").scrollTop += own.bottom - list.bottom;
}

/** Show a time: the strip that has it, or else one lead. */
function seek(time) {
  state.event = null;
  for (const button of buttons) button.removeAttribute("aria-current");
  const at = within(time, 0, data.seconds);
  look(at, stripAt(at));
}

/** Show a time that a text far above names, and bring it into view. */
function seekIntoView(time) {
  seek(time);
  byId("shown").scrollIntoView({ block: "start" });
}

function look(time, strip) {
  state.time = within(time, 0, data.seconds);
  if (strip === null) showLead(state.time);
  else showStrip(strip);
  revealTime(state.time);
  revealLine(shown.start);
  drawOverview();
  const beat = firstBeat(state.time);
  const rate = beats.rates[beat];
  byId("cursor").textContent = `${timeText(state.time)}${rate > 0 ? `, ${Math.round(rate)}/min` : ""}`;
}

/** The next or the previous event that the filter shows. */
function turnEvent(way) {
  const seen = buttons.filter((button) => !button.parentElement.hidden).map((button) => Number(button.dataset.event));
  if (!seen.length) return;
  const at = seen.indexOf(state.event);
  showEvent(seen[at < 0 ? 0 : within(at + way, 0, seen.length - 1)]);
}

function filterEvents() {
  const kind = byId("kind").value;
  for (const item of byId("events").children) item.hidden = kind !== "" && item.dataset.kind !== kind;
}

function turnByKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test(event.target.tagName)) return;
  const way = { n: 1, N: 1, p: -1, P: -1 }[event.key];
  if (way) turnEvent(way);
}

function drawAll() {
  drawOverview();
  drawMinutes();
}

function listen() {
  for (const button of buttons) button.addEventListener("click", () => showEvent(Number(button.dataset.event)));
  for (const button of document.querySelectorAll("[data-time]")) {
    button.addEventListener("click", () => seekIntoView(Number(button.dataset.time)));
  }
  byId("kind").addEventListener("change", filterEvents);
  byId("next").addEventListener("click", () => turnEvent(1));
  byId("previous").addEventListener("click", () => turnEvent(-1));
  byId("print").addEventListener("click", () => print());
  addEventListener("keydown", turnByKey);
  byId("strip").addEventListener("load", () => {
    byId("strip").contentWindow.addEventListener("keydown", turnByKey);
    showMap();
  });
  addEventListener("resize", drawAll);
  addEventListener("beforeprint", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  listenToOverview(seek);
  listenToMinutes(seek);
}

listen();
if (data.events.length) showEvent(0);
else seek(0);
