// Sends dropped files to the service, a record a request, and lists the answers. Nothing is loaded from elsewhere, and
// all texts of records are set as text.

const AT_ONCE = 4;
const MOST_TRIES = 20;
const SIGNALS = [".mat", ".dat"];
const ARRAYS = [".npy", ".npz", ".h5", ".hdf5", ".parquet", ".csv", ".tsv", ".txt"];
const BESIDE = [".atr", ".cam", ".md", ".html", ".log", ".png", ".svg", ".json"];
const LINKS = [["html", "Page"], ["pdf", "PDF"], ["json", "JSON"]];

const byId = (id) => document.getElementById(id);
const state = { key: sessionStorage.getItem("collection") ?? randomKey(), token: "", rows: [], waiting: [], busy: 0 };
sessionStorage.setItem("collection", state.key);

/** 128 random bits: who knows the key of a collection can read it. (`randomUUID` needs HTTPS.) */
function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function add(parent, tag, attributes = {}, text = "") {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  parent.append(element);
  return element;
}

// Which files belong together.

function split(name) {
  const at = name.lastIndexOf(".");
  return at > 0 ? [name.slice(0, at), name.slice(at).toLowerCase()] : [name, ""];
}

/** The names of the files that a WFDB header names: the first words of its lines. */
async function named(header) {
  if (header.file.size > 1 << 20) return [];
  const lines = (await header.file.text()).split(/\r?\n/).filter((line) => line.trim() && !line.startsWith("#"));
  return lines.slice(1).map((line) => line.trim().split(/\s+/)[0]);
}

/** Group files into records; each file has its path, from which on it was dropped. */
async function records(files) {
  const byPath = new Map(files.map((each) => [each.path, each]));
  const taken = new Set();
  const groups = [];
  const claim = (first, paths) => {
    const others = paths.map((path) => byPath.get(path)).filter((each) => each && each !== first);
    const members = [...new Set([first, ...others])];
    for (const each of members) taken.add(each);
    groups.push(members);
  };
  for (const each of files) {
    const [stem, suffix] = split(each.path);
    if (suffix !== ".hea") continue;
    const folder = each.path.slice(0, each.path.lastIndexOf("/") + 1);
    claim(each, [...(await named(each)).map((name) => folder + name), ...SIGNALS.map((end) => stem + end)]);
  }
  for (const each of files) {
    const [stem, suffix] = split(each.path);
    if (ARRAYS.includes(suffix) && byPath.has(`${stem}.json`)) claim(each, [`${stem}.json`]);
  }
  for (const each of files) {
    if (!taken.has(each) && !BESIDE.includes(split(each.path)[1])) claim(each, []);
  }
  return groups;
}

/** All files of what was dropped; folders are searched. */
async function dropped(transfer) {
  const found = [...transfer.items].map((item) => {
    const entry = item.webkitGetAsEntry?.();
    if (entry?.isDirectory) return inside(entry);
    const file = item.getAsFile();
    return file ? [{ file, path: file.name }] : [];
  });
  return (await Promise.all(found)).flat();
}

async function inside(entry) {
  if (entry.name.startsWith(".")) return [];
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    return [{ file, path: entry.fullPath.slice(1) }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map(inside))).flat();
}

// Requests.

const sleep = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

/** Send a request again while the service is busy, and ask for a token where one is needed. */
async function send(path, body) {
  for (let tries = 1; ; tries += 1) {
    const headers = { Accept: "application/x-ndjson" };
    if (state.token) headers.Authorization = `Bearer ${state.token}`;
    const answer = await fetch(path, { method: "POST", body, headers });
    if (answer.status === 401 && tries < MOST_TRIES) {
      await token();
    } else if ([429, 503].includes(answer.status) && tries < MOST_TRIES) {
      await sleep(Number(answer.headers.get("Retry-After") ?? 1));
    } else {
      return answer;
    }
  }
}

function token() {
  byId("ask").hidden = false;
  byId("token").focus();
  return new Promise((done) => {
    byId("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      state.token = byId("token").value.trim();
      byId("ask").hidden = true;
      done();
    }, { once: true });
  });
}

/** Send a row's files. The answer has a line for each record in them; a ZIP archive may hold many. */
async function read(row) {
  row.state = "reading";
  draw(row);
  try {
    const answer = await send(`v1/ecgs/batch?collection=${state.key}`, body(row.files));
    if (!answer.ok) return fill(row, await answer.json());
    let place = row;
    for await (const line of lines(answer.body)) {
      fill(place ?? appended(line.record, []), line.problem ?? line);
      place = null;
    }
  } catch (error) {
    fill(row, { detail: `The service cannot be reached (${error.message}).` });
  }
}

function body(files) {
  const [{ file, path }] = files;
  if (files.length === 1 && split(path)[1] === ".zip") return new Blob([file], { type: "application/zip" });
  const form = new FormData();
  for (const each of files) form.append("file", each.file, each.file.name);
  return form;
}

/** The lines of JSON of an answer, as they come. */
async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const whole = (text + part.value).split("\n");
    text = whole.pop();
    yield* whole.map(JSON.parse);
  }
}

/** Note the answer for a row: a record, or a problem. */
function fill(row, content) {
  row.files = [];
  if (content.reading) Object.assign(row, { state: "done", id: content.id, name: content.record, reading: content.reading });
  else Object.assign(row, { state: "failed", problem: content.detail ?? content.title });
  draw(row);
}

async function work() {
  while (state.waiting.length && state.busy < AT_ONCE) {
    state.busy += 1;
    read(state.waiting.shift()).finally(() => {
      state.busy -= 1;
      work();
    });
  }
}

async function take(files) {
  const order = new Intl.Collator("en", { numeric: true });
  const sorted = [...files].sort((one, other) => order.compare(one.path, other.path));
  const groups = (await records(sorted)).sort(([one], [other]) => order.compare(one.path, other.path));
  for (const group of groups) state.waiting.push(appended(group[0].path.split("/").pop(), group));
  const others = sorted.length - new Set(groups.flat()).size;
  byId("others").textContent = others ? `Not sent, as they hold no ECG: ${others} of ${sorted.length} files.` : "";
  work();
}

// The list.

function appended(name, files) {
  const row = { name, files, state: "waiting", element: document.createElement("tr") };
  state.rows.push(row);
  byId("rows").append(row.element);
  draw(row);
  return row;
}

function conclusion(row) {
  return row.reading?.conclusion ?? row.state;
}

/** Draw a row of the list. */
function draw(row) {
  const element = row.element;
  element.className = row.reading?.alerts.length ? "alert" : conclusion(row).replaceAll(" ", "-");
  element.replaceChildren();
  add(element, "th", { scope: "row" }, row.name);
  add(element, "td", {}).append(badge(conclusion(row)));
  const about = add(element, "td");
  for (const alert of row.reading?.alerts ?? []) add(about, "p", { class: "warning" }, `Alert: ${alert}`);
  const text = row.problem ?? (row.reading ? row.reading.interpretation || row.reading.reason : "");
  if (text) add(about, "p", {}, text);
  const links = add(element, "td", { class: "links" });
  for (const [format, label] of row.id ? LINKS : []) {
    const attributes = { href: `v1/ecgs/${row.id}?format=${format}`, target: "_blank", rel: "noopener" };
    add(links, "a", attributes, label).setAttribute("aria-label", `${label} of ${row.name}`);
  }
  summarise();
}

function badge(text) {
  const element = document.createElement("span");
  element.className = "badge";
  element.textContent = text;
  return element;
}

function isShown(row) {
  const kind = byId("kind").value;
  const fits = !kind || (kind === "alert" ? row.reading?.alerts.length > 0 : conclusion(row) === kind);
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = row.element.textContent.toLowerCase();
  return fits && words.every((word) => text.includes(word));
}

function summarise() {
  let shown = 0;
  for (const row of state.rows) {
    row.element.hidden = !isShown(row);
    shown += Number(!row.element.hidden);
  }
  const finished = state.rows.filter((row) => ["done", "failed"].includes(row.state)).length;
  const unfinished = state.rows.length - finished;
  byId("results").hidden = !state.rows.length;
  byId("drop").classList.toggle("small", state.rows.length > 0);
  byId("count").textContent = unfinished
    ? `${finished} of ${state.rows.length} read`
    : `${shown} of ${state.rows.length} records`;
  byId("progress").hidden = !unfinished;
  byId("progress").max = state.rows.length;
  byId("progress").value = finished;
}

/** Show what the service still has of this tab, such as after a reload. */
async function restore() {
  const answer = await fetch(`v1/collections/${state.key}?format=json`);
  if (!answer.ok) return;
  for (const each of (await answer.json()).records) fill(appended(each.record, []), each);
}

async function forget() {
  await fetch(`v1/collections/${state.key}`, { method: "DELETE" });
  state.waiting = [];
  state.rows = [];
  state.key = randomKey();
  sessionStorage.setItem("collection", state.key);
  byId("rows").replaceChildren();
  linkAll();
  summarise();
  byId("files").focus();
}

function linkAll() {
  for (const format of ["csv", "json"]) byId(format).href = `v1/collections/${state.key}?format=${format}`;
}

async function samples() {
  byId("samples").disabled = true;
  const { samples: names } = await (await fetch("v1/samples")).json();
  for (const name of names) {
    const content = await (await fetch(`v1/samples/${name}`)).blob();
    await take([{ file: new File([content], name), path: name }]);
  }
  byId("samples").disabled = false;
}

async function tellFormats() {
  const answer = await fetch("openapi.json");
  if (answer.ok) byId("formats").textContent = (await answer.json()).info.description.split(". ").pop();
}

function prepare() {
  for (const id of ["files", "folder"]) {
    byId(id).addEventListener("change", (event) => {
      take([...event.target.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
      event.target.value = "";
    });
  }
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      byId("drop").classList.toggle("over", name === "dragover");
    });
  }
  document.addEventListener("drop", async (event) => take(await dropped(event.dataTransfer)));
  byId("samples").addEventListener("click", samples);
  byId("forget").addEventListener("click", forget);
  byId("find").addEventListener("input", summarise);
  byId("kind").addEventListener("change", summarise);
  linkAll();
  tellFormats();
  restore();
}

prepare();
