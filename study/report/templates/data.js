// The data of the page: JSON, compressed by zlib, in base64.
async function unpack() {
  const packed = Uint8Array.from(atob(document.getElementById("data").textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

// The rows of a CSV as objects; what reads as a number is one, and an empty cell is null.
function rowsOf(csv) {
  const [names, ...rows] = cellsOf(csv);
  return rows.map((row) => Object.fromEntries(names.map((name, k) => [name, valueOf(row[k])])));
}

function cellsOf(csv) {
  const rows = [[]];
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^,"\n]*))(,|\n|$)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\n") rows.push([]);
    if (end === "") break;
  }
  return rows.filter((row) => row.length > 1 || row[0] !== "");
}

function valueOf(text) {
  if (text === "") return null;
  if (/^-?inf$/.test(text)) return text === "inf" ? Infinity : -Infinity;
  return Number.isNaN(Number(text)) ? text : Number(text);
}

// The values that occur, once each, in order of appearance.
const distinct = (values) => [...new Set(values)];
