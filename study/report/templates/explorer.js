// Two arms side by side: how many seeds solve each gap, how much of the gradient is left, for how long their gates keep a memory.

const ARMS = ["a", "b"], LEAST = 1e-9, NO_CONSTANTS = "no gate that retains, or not probed";

function explore(data) {
  const solved = figures(data, "success"), tasks = distinct(solved.map((row) => `${row.place} ${row.task}`));
  if (!tasks.length) return false;
  const field = (id) => document.getElementById(id);
  const size = (key) => solved.filter((row) => `${row.place} ${row.task}` === key).length;
  const largest = tasks.reduce((one, two) => (size(two) > size(one) ? two : one));
  fill(field("task"), tasks, (key) => `${data.tasks[key.split(" ")[1]].title} (${key.split(" ")[0]})`, largest);
  const kept = [...figures(data, "gradients"), ...figures(data, "reach")], constants = figures(data, "time_constants");
  const rows = () => solved.filter((row) => `${row.place} ${row.task}` === field("task").value);
  const gaps = () => distinct(rows().map((row) => row.gap)).sort((one, two) => one - two);

  const chooseTask = () => {
    const cells = distinct(rows().map((row) => row.cell));
    ARMS.forEach((arm, k) => fill(field(`cell-${arm}`), cells, (cell) => data.cells[cell], cells[Math.min(k, cells.length - 1)]));
    field("gap").max = gaps().length - 1;
    field("gap").value = Math.floor(gaps().length / 2);
    chooseCell();
  };
  const chooseCell = () => {
    for (const arm of ARMS) {
      const inits = distinct(rows().filter((row) => row.cell === field(`cell-${arm}`).value).map((row) => row.init));
      fill(field(`init-${arm}`), inits, (init) => data.inits[init], field(`init-${arm}`).value);
    }
    show();
  };
  const show = () => {
    const gap = gaps()[field("gap").value];
    field("gap-shown").textContent = gap;
    field("gap").setAttribute("aria-valuetext", `gap ${gap}`);
    const arms = ARMS.map((name) => {
      const [cell, init] = [field(`cell-${name}`).value, field(`init-${name}`).value];
      return { name, cell, init, title: `${data.cells[cell]}, ${data.inits[init]}` };
    });
    const told = arms.map((arm) => `${arm.name.toUpperCase()}, ${arm.title}: ${outcome(rows(), arm, gap)}`);
    field("arms-said").textContent = `At gap ${gap}: ${told.join("; ")}.`;
    const [place, task] = field("task").value.split(" ");
    field("arms-shown").replaceChildren(
      key(arms), successChart(rows(), arms, gaps(), gap, data.tasks[task].axis), gradientChart(kept, arms, place, gap),
      constantsChart(constants, arms, gap));
  };
  field("task").addEventListener("change", chooseTask);
  ARMS.forEach((arm) => field(`cell-${arm}`).addEventListener("change", chooseCell));
  [field("gap"), field("init-a"), field("init-b")].forEach((control) => control.addEventListener("input", show));
  chooseTask();
  field("arms").hidden = false;
  return true;
}

// The rows of a figure in all studies that have it, each with its study.
function figures(data, name) {
  return Object.entries(data.files).filter(([key]) => key.endsWith(`/figures/${name}`)).flatMap(([key, csv]) =>
    rowsOf(csv).map((row) => ({ ...row, place: key.split("/figures/")[0] })));
}

function fill(select, values, text, chosen) {
  select.replaceChildren(...values.map((value) => element("option", { value }, text(value))));
  if (values.includes(chosen)) select.value = chosen;
}

const ofArm = (rows, arm) => rows.filter((row) => row.cell === arm.cell && row.init === arm.init);
const percent = (share) => `${Math.round(100 * share)} %`;

function outcome(rows, arm, gap) {
  const found = ofArm(rows, arm).find((row) => row.gap === gap);
  if (!found) return "not tried";
  const doubt = found.lr_doubt ? `; a better learning rate may exist: ${found.lr_doubt}` : "";
  return `${found.solved} of ${found.trials} seeds solve it (interval ${percent(found.rate_low)} to ${percent(found.rate_high)}${doubt})`;
}

function key(arms) {
  return element("ul", { class: "legend" }, ...arms.map((arm) => {
    const line = lineOf(arm.name, [[0, 6], [40, 6]], Number, Number);
    const svg = drawn("svg", { viewBox: "0 0 40 12", "aria-hidden": "true" }, line, markOf(arm.name, 20, 6));
    return element("li", {}, svg, ` ${arm.name.toUpperCase()}: ${arm.title}`);
  }));
}

function successChart(rows, arms, gaps, gap, axis) {
  const across = { low: gaps[0] / 1.2, high: gaps.at(-1) * 1.2, log: true, ticks: gaps, name: `${axis} (log axis)` };
  const up = { low: 0, high: 1, ticks: [0, 0.5, 1], text: percent };
  const alongGaps = (arm) => gaps.map((at) => `gap ${at}: ${outcome(rows, arm, at)}`).join(", ");
  const alt = arms.map((arm) => `${arm.title}: ${alongGaps(arm)}`).join(". ");
  return chart({ title: "Seeds that solve it", alt, across, up, at: gap }, (svg, x, y) => arms.forEach((arm, k) => {
    const points = ofArm(rows, arm).sort((one, two) => one.gap - two.gap), apart = (row) => x(row.gap) + 4 * k - 2;
    svg.append(lineOf(arm.name, points.map((row) => [apart(row), y(row.rate)]), Number, Number));
    const bar = (row) => drawn("path", { class: `bar ${arm.name}`, d: `M${apart(row)} ${y(row.rate_low)}V${y(row.rate_high)}` });
    points.forEach((row) => svg.append(bar(row), markOf(arm.name, apart(row), y(row.rate))));
  }));
}

// The gradient of trained nets of this study where it has it, else that of probed nets of any study.
function curve(rows, arm, place) {
  const own = ofArm(rows, arm).filter((row) => row.place === place);
  const any = own.length ? own : ofArm(rows, arm);
  return any.filter((row) => row.place === any[0].place && (row.when ?? "start") === (any[0].when ?? "start"));
}

function gradientChart(rows, arms, place, gap) {
  const curves = arms.map((arm) => curve(rows, arm, place)), every = curves.flat();
  if (!every.length) return nothing("Gradient that is left", "No gradient of these arms was measured.");
  const lags = every.map((row) => row.lag), low = Math.max(LEAST, Math.min(...every.map((row) => row.median)));
  const across = { low: Math.min(...lags), high: Math.max(...lags), log: true, name: "lag (steps before the answer; log axis)" };
  across.ticks = [5, 10, 30, 100, 300, 1000].filter((lag) => lag <= across.high);
  const high = Math.max(1, ...every.map((row) => row.median));
  const up = { low, high, log: true, ticks: powers(low, high) };
  const left = (row) => `${row.median.toExponential(1)} of it is left at lag ${row.lag}`;
  const alt = arms.map((arm, k) => `${arm.title}: ${curves[k].length ? left(curves[k].at(-1)) : "not measured"}`).join(". ");
  const shown = curves.map((rowsOfArm) => rowsOfArm.filter((row) => row.median >= low).map((row) => [row.lag, row.median]));
  const made = chart({ title: "Gradient that is left, before training", alt, across, up, at: gap }, (svg, x, y) =>
    arms.forEach((arm, k) => svg.append(lineOf(arm.name, shown[k], x, y))));
  const from = distinct(every.map((row) => row.place)).join(", ");
  made.append(element("figcaption", {}, `|dL/dh| relative to lag 5, medians over seeds (${from}).${low === LEAST ? ` Below ${label(LEAST)} nothing is drawn.` : ""}`));
  return made;
}

function constantsChart(rows, arms, gap) {
  const found = arms.map((arm) => ofArm(rows, arm)[0]), known = found.filter(Boolean);
  if (!known.length) return nothing("Time constants", `Neither arm has time constants: ${NO_CONSTANTS}.`);
  const high = 1.2 * Math.max(gap, ...known.map((row) => row.most));
  const across = { low: 1, high, log: true, ticks: powers(1, high), name: "time constant of a unit (steps; log axis)" };
  const up = { low: 0, high: 3, ticks: [] };
  const said = (row) => (row ? `half of the units between ${label(row.q1)} and ${label(row.q3)} steps` : NO_CONSTANTS);
  const alt = arms.map((arm, k) => `${arm.title}: ${said(found[k])}`).join(". ");
  const made = chart({ title: "Time constants, before training", alt, across, up, at: gap }, (svg, x, y) => arms.forEach((arm, k) => {
    const row = found[k], at = y(2 - k);
    if (!row) return svg.append(drawn("text", { x: LEFT, y: at }, NO_CONSTANTS));
    return svg.append(drawn("path", { class: `bar ${arm.name}`, d: `M${x(row.least)} ${at}H${x(row.most)}` }),
      drawn("path", { class: `half ${arm.name}`, d: `M${x(row.q1)} ${at}H${x(row.q3)}` }), markOf(arm.name, x(row.middle), at));
  }));
  const from = distinct(known.map((row) => row.place)).join(", ");
  made.append(element("figcaption", {}, `Mark: the median unit; thick: the middle half; thin: all units (${from}).`));
  return made;
}

function nothing(title, why) {
  return element("figure", {}, element("h4", {}, title), element("p", {}, why));
}
