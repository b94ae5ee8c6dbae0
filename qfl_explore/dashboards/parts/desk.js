// The browser's half of desk.py: keys that control the run, and pictures saved without asking the server.

const SWITCH = "qfl_explore keyboard shortcuts";
const NEVER = "input, textarea, select, [contenteditable=''], [contenteditable='true']";
// Whoever has the focus there types, picks from a list or reads a dialog.
const TYPING = `${NEVER}, [role=textbox], [role=combobox], [role=listbox], [role=menu], [role=spinbutton], [role=dialog]`;
const UNTYPED = ["range", "checkbox", "radio"];
// Space presses these, opens these, or scrolls what has the focus.
const PRESSED = "button, a[href], summary, label, [tabindex]:not([tabindex='-1'])";
// These take the arrows.
const ARROWS = "[role=tab], [role=tablist], [role=slider], [role=radiogroup], [role=toolbar], [role=grid], [role=tree]";
const SCROLLS = "[tabindex='0']:not([role])";

function remembered() {
  try {
    return window.localStorage.getItem(SWITCH) !== "off";
  } catch {
    return true;
  }
}

function remember(on) {
  try {
    window.localStorage.setItem(SWITCH, on ? "on" : "off");
  } catch { /* a browser that keeps nothing: the switch holds for this visit */ }
}

function within(path, selector) {
  return path.some((node) => node instanceof Element && node.matches(selector));
}

// What a key means where the focus is now, or nothing.
function meaning(event, path) {
  const ctrl = event.ctrlKey || event.metaKey;
  if (within(path, TYPING) && !path.some((node) => UNTYPED.includes(node.type))) return null;
  if (ctrl) {
    if (event.altKey || event.key.toLowerCase() !== "z") return null;
    return event.shiftKey ? "redo" : "undo";
  }
  if (event.altKey) return null;
  if (event.key === " ") return within(path, `${PRESSED}, ${NEVER}`) ? null : "toggle";
  if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    if (event.shiftKey || within(path, `${ARROWS}, ${SCROLLS}, ${NEVER}`)) return null;
    return event.key === "ArrowRight" ? "step" : "rewind";
  }
  if (event.key === "p" || event.key === "P") return "pin";
  return event.key === "?" ? "help" : null;
}

function view_of(id) {
  return window.Bokeh?.index?.find_one_by_id?.(id) ?? null;
}

// The colour behind an element: the nearest that is not see-through.
function behind(element) {
  for (let node = element; node; node = node.parentElement ?? node.assignedSlot ?? node.getRootNode()?.host) {
    if (!(node instanceof Element)) continue;
    const colour = getComputedStyle(node).backgroundColor;
    if (colour && !/^rgba\(.*, 0\)$|^transparent$/.test(colour)) return colour;
  }
  return "#ffffff";
}

function escaped(text) {
  const holder = document.createElement("i");
  holder.textContent = text;
  return holder.innerHTML.replaceAll("&nbsp;", "\u00a0");
}

// Title, description and background go in front of what is drawn.
function finished(svg, words, colour) {
  const box = svg.getAttribute("viewBox")?.split(/[ ,]+/) ?? [0, 0, svg.getAttribute("width"), svg.getAttribute("height")];
  const back = colour ? `<rect x="${box[0]}" y="${box[1]}" width="${box[2]}" height="${box[3]}" fill="${colour}"/>` : "";
  const head = `<title>${escaped(words.title)}</title><desc>${escaped(words.about)}</desc>${back}`;
  const text = new XMLSerializer().serializeToString(svg);
  const named = /^<svg[^>]*xmlns=/.test(text) ? text : text.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
  return named.replace(/^(<svg[^>]*>)/, `$1${head}`);
}

// A copy that carries its colours: on the page they come from the theme, outside there is none.
function inked(svg) {
  const copy = svg.cloneNode(true);
  const originals = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, number) => {
    const { fill, stroke, fontFamily } = getComputedStyle(originals[number]);
    element.removeAttribute("style");
    element.setAttribute("fill", fill);
    element.setAttribute("stroke", stroke);
    if (element.tagName === "text") element.setAttribute("font-family", fontFamily);
  });
  return copy;
}

function canvas_blob(canvas) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

async function loaded(blob) {
  const url = URL.createObjectURL(blob);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(url);
  }
}

// Words in as many lines as they need in this width.
function lines_of(context, words, width) {
  const lines = [""];
  for (const word of words.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (context.measureText(longer).width > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

// Twice as fine as on the page, and below it what it shows: a bitmap has no other place for that.
function painted(image, { width, height, colour, ink, note }) {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const [font, line] = ["11px system-ui, sans-serif", 15];
  context.font = font;
  const lines = lines_of(context, note, width - 16);
  const [fine, whole] = [Math.min(2, 16000 / width), height + line * lines.length + 8];
  [canvas.width, canvas.height] = [fine * width, fine * whole];
  context.scale(fine, fine);
  context.fillStyle = colour;
  context.fillRect(0, 0, width, whole);
  context.drawImage(image, 0, 0, width, height);
  [context.fillStyle, context.font] = [ink, font];
  lines.forEach((text, number) => context.fillText(text, 8, height + line * (number + 1)));
  return canvas_blob(canvas);
}

// Bokeh puts the marks of a legend into an SVG as bitmaps of some pixels; here they are drawn again as lines.
function draw_marks(svg, view, layer) {
  const parts = ["center", "above", "below", "left", "right"].flatMap((place) => view.model[place]);
  const legends = parts.filter((one) => one.type === "Legend").map((one) => view.views.find_one(one));
  const entries = legends.flatMap((legend) => legend?.entries ?? []).filter(({ item }) => item.visible);
  const sizes = new Set(entries.map(({ glyph }) => `${glyph.canvas.width} ${glyph.canvas.height}`));
  const bitmaps = [...svg.querySelectorAll("image")].filter((one) =>
    sizes.has(`${one.getAttribute("width")} ${one.getAttribute("height")}`));
  if (bitmaps.length !== entries.length) return;
  entries.forEach(({ glyph, item, label }, number) => {
    const { width, height } = glyph.bbox;
    const lines = new layer.constructor("svg", false);
    lines.resize(width, height);
    const field = item.get_field_from_label_prop();
    const context = lines.prepare();
    for (const renderer of item.renderers) {
      view.views.find_one(renderer)?.draw_legend(context, 0, width, 0, height, field, label, item.index);
    }
    lines.finish();
    const group = svg.ownerDocument.createElementNS(svg.namespaceURI, "g");
    group.setAttribute("transform", bitmaps[number].getAttribute("transform"));
    group.append(...[...lines.canvas.children].filter((one) => one.tagName !== "defs").map((one) => one.cloneNode(true)));
    bitmaps[number].replaceWith(group);
  });
}

// A figure of Bokeh's, or the drawing in the button's pane, as an SVG that stands alone, and the colour behind it.
async function drawing(button) {
  const id = button.dataset.qflFigure;
  if (!id) {
    const original = button.getRootNode().querySelector("svg");
    const { width, height } = original.getBoundingClientRect();
    const svg = inked(original);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    return [svg, behind(original)];
  }
  const view = view_of(id);
  if (!view) throw new Error("the picture is not on the page");
  const layer = view.export("svg");
  const text = await (await layer.to_blob()).text();
  const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  draw_marks(svg, view, layer);
  return [svg, behind(view.el)];
}

async function picture(button, words) {
  const [svg, colour] = await drawing(button);
  const blob = new Blob([finished(svg, words, colour)], { type: "image/svg+xml" });
  if (button.dataset.qflSave === "svg") return blob;
  const [width, height] = ["width", "height"].map((name) => parseFloat(svg.getAttribute(name)));
  return painted(await loaded(blob), { width, height, colour, ink: getComputedStyle(button).color, note: words.note });
}

function file_name(...parts) {
  const plain = parts.filter(Boolean).map((part) => part.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, ""));
  return plain.join("_").slice(0, 120);
}

async function save(button, model) {
  const { qflSave: kind, qflName: name } = button.dataset;
  const title = `${name} (qfl_explore, ${model.page})`;
  const words = { title, about: `${model.about} ${window.location.href}`, note: `${title}. ${model.about}` };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await picture(button, words));
  link.download = `${file_name("qfl", model.page, name, model.settings_id)}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export function render({ model }) {
  const stop = new AbortController();
  // in a notebook the keys belong to the notebook
  const foreign = document.querySelector(".jp-LabShell, .jp-NotebookShell, #notebook") !== null;
  if (foreign) model.keys = false;
  else if (model.keys !== remembered()) model.keys = remembered();
  model.on("keys", () => { if (!foreign) remember(model.keys); });
  document.addEventListener("keydown", (event) => {
    if (foreign || event.defaultPrevented || event.isComposing || event.qflDone) return;
    const found = meaning(event, event.composedPath());
    const always = found === "undo" || found === "redo";
    if (!found || (!model.keys && !always) || (event.repeat && found !== "step" && !always)) return;
    event.preventDefault();
    event.qflDone = true;
    model.send_msg(found);
  }, { signal: stop.signal });
  document.addEventListener("click", (event) => {
    const button = event.composedPath().find((node) => node instanceof Element && node.dataset?.qflSave);
    if (!button || event.qflDone) return;
    event.qflDone = true;
    save(button, model).catch((error) => { button.title = `Not saved: ${error.message}`; });
  }, { signal: stop.signal });
  model.on("remove", () => stop.abort());
  const place = document.createElement("span");
  place.dataset.qflDesk = "";
  return place;
}
