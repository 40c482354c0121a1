// One net along one sentence: the memory of its units at each word, their gates, and what is lost without them.

const GATES = { i: "input gate i", f: "forget gate f", o: "output gate o", z: "update gate z", r: "reset gate r" };

function readSentences(data) {
  const field = (id) => document.getElementById(id), nets = data.sentences;
  if (!nets.length) return false;
  const gaps = () => distinct(nets.filter((net) => net.task === field("kind").value).map((net) => net.gap));
  const readers = () => nets.filter((net) => net.task === field("kind").value && net.gap === Number(field("words").value));

  const chooseKind = () => {
    fill(field("words"), gaps().map(String), (gap) => `${gap} words`, field("words").value);
    chooseGap();
  };
  const chooseGap = () => {
    const best = [...readers()].sort((one, two) => two.accuracy - one.accuracy)[0];
    fill(field("reader"), readers().map(name), (id) => title(readers().find((net) => name(net) === id)), name(best));
    show();
  };
  const name = (net) => `${net.cell} ${net.init}`;
  const title = (net) => `${data.cells[net.cell]}, ${data.inits[net.init]}`;
  const show = () => {
    const net = readers().find((one) => name(one) === field("reader").value);
    field("sentence-said").textContent =
      `${net.carrier} Here the net says "${net.pair.answer[0]}" (${percent(net.pair.p[0])}); right is "${net.pair.right[0]}".`;
    field("sentence-shown").replaceChildren(squares(net, field("square-said")));
    field("square-said").textContent = "";
    field("ablation").replaceChildren(lossChart(net), togetherChart(net), explained(net));
  };
  fill(field("kind"), distinct(nets.map((net) => net.task)), (task) => data.tasks[task].title);
  field("kind").addEventListener("change", chooseKind);
  field("words").addEventListener("change", chooseGap);
  field("reader").addEventListener("change", show);
  chooseKind();
  field("sentence").hidden = false;
  return true;
}

// The table of words by units. One square at a time takes part in tabbing; arrow keys walk on from there.
function squares(net, said) {
  const { words, steps, cue, read } = net.text, lanes = net.traces.map((trace) => lane(net, trace));
  const most = Math.max(...lanes.flatMap((one) => one.memory.map(Math.abs)), 1e-9);
  const head = element("tr", {}, element("th", { scope: "col" }, "unit"), ...words.map((word, k) =>
    element("th", { scope: "col", class: place(steps[k], cue, read) }, element("span", {}, word))));
  const body = lanes.map((one) => element("tr", {}, element("th", { scope: "row" }, one.title), ...one.memory.map((value, k) => {
    const text = `${words[k]}${steps[k] === cue ? " (the cue)" : ""}: ${one.said(k)}`;
    const look = `${place(steps[k], cue, read)} ${value < 0 ? "below" : "above"}`;
    const square = element("td", { tabindex: -1, "aria-label": text, class: look, style: `--value:${(value / most).toFixed(3)}` });
    const say = () => { said.textContent = `${one.title}, ${text}`; };
    ["focus", "mouseenter"].forEach((event) => square.addEventListener(event, say));
    return square;
  })));
  const caption = element("caption", {}, "Orange: the memory is above 0; blue and hatched: below 0; the stronger, the farther, up to "
    + `${label(most)}. Framed: the cue, and the word at which the answer is read.`);
  const table = element("table", { class: "squares" }, caption, element("thead", {}, head), element("tbody", {}, ...body));
  body[0].cells[1].tabIndex = 0;
  table.addEventListener("keydown", walk);
  return table;
}

// What a row shows: the memory c where the cell has one, else the state h; `said(k)` has gates and states in words.
function lane(net, { unit, of, ...values }) {
  const carries = unit === net.units.unit[0] ? ", most important" : "";
  const states = ["c", "h"].filter((state) => state in values);
  const parts = [...Object.keys(GATES).filter((gate) => gate in values), ...states];
  const cue = of ? `if the cue is ${net.pair.cue[of]}` : `cue ${net.pair.cue[0]}`;
  return { title: `unit ${unit}${carries}, ${cue}`, memory: values[states[0]],
    said: (k) => parts.map((part) => `${GATES[part] ?? `state ${part}`} ${values[part][k]}`).join(", ") };
}

function place(step, cue, read) {
  return step === cue ? "cue" : step === read ? "read" : "word";
}

function walk(event) {
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const here = event.target.closest("td"), [down, right] = moves[event.key] ?? [0, 0];
  if (!here || !(down || right)) return;
  event.preventDefault();
  const next = here.closest("tbody").rows[here.parentElement.sectionRowIndex + down]?.cells[here.cellIndex + right];
  if (next?.tagName !== "TD") return;
  here.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

function lossChart(net) {
  const { unit, drop } = net.units, most = Math.max(0.1, ...drop), shown = unit.slice(0, 8);
  const across = { low: -0.5, high: shown.length - 0.5, ticks: [], name: "unit that is held at its mean, most important first" };
  const up = { low: Math.min(0, ...drop), high: most, ticks: [0, most], text: percent };
  const alt = shown.map((one, k) => `without unit ${one}: ${percent(drop[k])} lost`).join(", ");
  return chart({ title: "Right answers lost without one unit", alt, across, up }, (svg, x, y) => shown.forEach((one, k) => {
    svg.append(drawn("path", { class: "column", d: `M${x(k)} ${y(0)}V${y(drop[k])}` }),
      drawn("text", { x: x(k), y: HEIGHT - BOTTOM + 14, "text-anchor": "middle" }, String(one)));
  }));
}

function togetherChart(net) {
  const held = [0, ...net.together.units], right = [net.accuracy, ...net.together.right];
  const ticks = held.filter((count) => [0, 1, 2, 4, 8, 16].includes(count));
  const across = { low: 0, high: held.at(-1), ticks, name: "units held at once, most important first" };
  const up = { low: 0, high: 1, ticks: [0, 0.5, 1], text: percent };
  const alt = held.map((count, k) => `${count} held: ${percent(right[k])} right`).join(", ");
  return chart({ title: "Right answers without several", alt, across, up }, (svg, x, y) => {
    svg.append(drawn("path", { class: "chosen", d: `M${LEFT} ${y(net.chance)}H${WIDTH - RIGHT}` }),
      lineOf("a", held.map((count, k) => [count, right[k]]), x, y), ...held.map((count, k) => markOf("a", x(count), y(right[k]))));
  });
}

function explained(net) {
  return element("figure", {}, element("h4", {}, "The same in a terminal"),
    element("p", { class: "command" }, element("code", {}, `python -m study explain ${net.id}`)));
}
