// A chart of up to two arms, which colour, dash and mark tell apart.

const WIDTH = 360, HEIGHT = 240, LEFT = 52, RIGHT = 12, TOP = 10, BOTTOM = 40;

function drawn(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// value -> place between `from` and `to`, on a linear or a log axis; beyond its ends a value stands at the end.
function scale({ low, high, log }, from, to) {
  const at = log ? Math.log : (value) => value;
  const part = (value) => (at(value) - at(low)) / (at(high) - at(low) || 1);
  return (value) => from + (to - from) * Math.min(1, Math.max(0, part(log ? Math.max(value, Number.MIN_VALUE) : value)));
}

// Powers of ten from `low` to `high`, at most five.
function powers(low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  const step = Math.max(1, Math.ceil((last - first) / 4));
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, k) => 10 ** (first + k * step));
}

function label(value) {
  if (value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 1e5)) return value.toExponential(0).replace("e+", "e");
  return String(Number(value.toPrecision(3)));
}

// A figure with the axes `across` and `up` ({ low, high, log, ticks, name, text }); `draw(svg, x, y)` adds what they measure.
function chart({ title, alt, across, up, at }, draw) {
  const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": alt, class: "chart" });
  const x = scale(across, LEFT, WIDTH - RIGHT), y = scale(up, HEIGHT - BOTTOM, TOP);
  for (const tick of across.ticks) {
    svg.append(drawn("path", { class: "grid", d: `M${x(tick)} ${TOP}V${HEIGHT - BOTTOM}` }),
      drawn("text", { x: x(tick), y: HEIGHT - BOTTOM + 14, "text-anchor": "middle" }, label(tick)));
  }
  for (const tick of up.ticks) {
    svg.append(drawn("path", { class: "grid", d: `M${LEFT} ${y(tick)}H${WIDTH - RIGHT}` }),
      drawn("text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, up.text ? up.text(tick) : label(tick)));
  }
  svg.append(drawn("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, across.name));
  const inside = at >= across.low && at <= across.high;
  if (inside) svg.append(drawn("path", { class: "chosen", d: `M${x(at)} ${TOP}V${HEIGHT - BOTTOM}` }));
  draw(svg, x, y);
  return element("figure", {}, element("h4", {}, title), svg);
}

function lineOf(arm, points, x, y) {
  return drawn("path", { class: `line ${arm}`, d: points.map(([a, b], k) => `${k ? "L" : "M"}${x(a)} ${y(b)}`).join("") });
}

function markOf(arm, a, b) {
  if (arm === "a") return drawn("circle", { class: `mark ${arm}`, cx: a, cy: b, r: 4 });
  return drawn("rect", { class: `mark ${arm}`, x: a - 4, y: b - 4, width: 8, height: 8 });
}
