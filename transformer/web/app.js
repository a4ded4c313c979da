// The page's whole behaviour: post the image's bytes, show the answer.
const MODEL = document.querySelector("meta[name=model]").content;
const PREDICT = `v1/models/${MODEL}:predict`; // relative, so that the page works behind a path prefix
const UNSURE = 0.8; // below this confidence a line is marked

const $ = (id) => document.getElementById(id);
const [file, status, error, reading, picture, image, boxes, lines] =
  ["file", "status", "error", "reading", "picture", "image", "boxes", "lines"].map($);

let current = null; // { name, prediction } of the reading on show
let pending = null; // AbortController of the request under way

file.addEventListener("change", () => {
  if (file.files[0]) read(file.files[0]);
  file.value = ""; // so that the same file can be chosen again
});

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dragging");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dragging");
});
document.addEventListener("drop", (event) => {
  event.preventDefault(); // or the browser leaves the page for the file
  document.body.classList.remove("dragging");
  take(event.dataTransfer, "The dropped item is not a file.");
});
document.addEventListener("paste", (event) => take(event.clipboardData, "There is no image to paste."));

function take(transfer, otherwise) {
  if (transfer.files[0]) read(transfer.files[0]);
  else fail(otherwise);
}

async function read(blob) {
  pending?.abort();
  const request = (pending = new AbortController());
  const name = blob.name || "pasted image";
  error.hidden = true;
  document.body.classList.add("busy");
  say(`Reading ${name} …`);
  const started = performance.now();
  try {
    const prediction = await predict(blob, request.signal);
    const took = performance.now() - started;
    current = { name, prediction };
    show(blob, prediction);
    const count = prediction.lines.length;
    say(`${count ? `${count} ${count === 1 ? "line" : "lines"}` : "No text found"} in ${name}, ${Math.round(took)} ms.`);
  } catch (reason) {
    if (request.signal.aborted) return; // a newer image took its place
    reading.hidden = true;
    say("");
    fail(reason.message);
  } finally {
    if (pending === request) {
      pending = null;
      document.body.classList.remove("busy");
    }
  }
}

async function predict(blob, signal) {
  // A type no browser knows is still an image to the service, which looks at the content.
  const type = blob.type.startsWith("image/") ? blob.type : "image/unknown";
  let response;
  try {
    response = await fetch(PREDICT, { method: "POST", body: blob, headers: { "Content-Type": type }, signal });
  } catch (reason) {
    throw signal.aborted ? reason : new Error("The service can't be reached.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error || `The service answered with status ${response.status}.`);
  return answer.predictions[0];
}

function show(blob, prediction) {
  $("model").textContent = `Model ${prediction.model}`;
  URL.revokeObjectURL(image.src);
  picture.classList.remove("blank");
  $("unshown").hidden = true;
  image.src = URL.createObjectURL(blob);
  boxes.setAttribute("viewBox", `0 0 ${prediction.width} ${prediction.height}`);
  boxes.replaceChildren(...prediction.lines.map(box));
  lines.replaceChildren(...prediction.lines.map(row));
  $("copy").disabled = !prediction.lines.length;
  reading.hidden = false;
}

image.addEventListener("error", () => {
  picture.classList.add("blank");
  $("unshown").hidden = false;
});

function box(line, index) {
  const polygon = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
  polygon.setAttribute("points", line.points.map((point) => point.join(",")).join(" "));
  polygon.dataset.index = index;
  return polygon;
}

function row(line, index) {
  const percent = `${Math.round(line.confidence * 100)} %`;
  const item = document.createElement("li");
  item.dataset.index = index;
  item.tabIndex = index ? -1 : 0; // one stop for the Tab key; arrows move inside
  item.classList.toggle("unsure", line.confidence < UNSURE);
  item.append(part("text", line.text, { dir: "auto" }), part("confidence", percent, { title: "Confidence" }));
  return item;
}

function part(name, text, attributes) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  Object.assign(span, attributes);
  return span;
}

// A line and its box light up together, whichever of them is pointed at or focused.
function choose(index, scroll = false) {
  for (const element of document.querySelectorAll(".chosen")) element.classList.remove("chosen");
  if (index === undefined) return;
  boxes.children[index].classList.add("chosen");
  lines.children[index].classList.add("chosen");
  if (scroll) reveal(lines.children[index]);
}

// Scrolls the list alone: scrollIntoView would move the page away from under the pointer.
function reveal(item) {
  const [outer, inner] = [lines.getBoundingClientRect(), item.getBoundingClientRect()];
  if (inner.top < outer.top) lines.scrollTop -= outer.top - inner.top;
  else if (inner.bottom > outer.bottom) lines.scrollTop += inner.bottom - outer.bottom;
}

const indexOf = (event) => event.target.closest("[data-index]")?.dataset.index;
boxes.addEventListener("pointerover", (event) => choose(indexOf(event), true));
boxes.addEventListener("pointerleave", () => choose());
boxes.addEventListener("click", (event) => {
  const index = indexOf(event);
  if (index !== undefined) focusLine(lines.children[index]);
});
lines.addEventListener("pointerover", (event) => choose(indexOf(event)));
lines.addEventListener("pointerleave", () => choose());
lines.addEventListener("focusin", (event) => choose(indexOf(event)));
lines.addEventListener("focusout", () => choose());

function focusLine(item) {
  for (const other of lines.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
  item.tabIndex = 0;
  item.focus();
}

lines.addEventListener("keydown", (event) => {
  const at = Number(indexOf(event));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.children.length - 1 }[event.key];
  if (to === undefined || !lines.children[to]) return;
  event.preventDefault();
  focusLine(lines.children[to]);
});

$("copy").addEventListener("click", async () => {
  const text = current.prediction.lines.map((line) => line.text).join("\n");
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copyByHand(text);
    say("Copied.");
  } catch {
    fail("The browser doesn't allow copying. Select the text instead.");
  }
});

// navigator.clipboard exists on https and localhost alone.
function copyByHand(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  $("copy").focus();
  if (!copied) throw new Error("copying was refused");
}

$("save").addEventListener("click", () => {
  const link = document.createElement("a");
  const json = JSON.stringify(current.prediction, null, 2);
  link.href = URL.createObjectURL(new Blob([json], { type: "application/json" }));
  link.download = `${current.name.replace(/\.[^.]*$/, "")}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
});

function say(text) {
  status.textContent = text;
}

function fail(text) {
  error.textContent = text;
  error.hidden = false;
}
