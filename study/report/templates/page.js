// Commands are copied, tables sorted, numbers saved; details open where a link or a printer needs them.

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function offerCopies() {
  for (const command of document.querySelectorAll(".command")) {
    const code = command.querySelector("code");
    const button = element("button", { type: "button", "aria-label": `Copy: ${code.textContent}` }, "Copy");
    button.addEventListener("click", async () => {
      button.textContent = await copied(code) ? "Copied" : "Selected: press Ctrl-C";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    command.append(button);
  }
}

// Whether the text could be copied. If not, as on pages that are read from a disk by some browsers, it is selected.
async function copied(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return false;
  }
}

function sortTables() {
  for (const table of document.querySelectorAll("table.sortable")) {
    table.querySelectorAll("th").forEach((head, column) => {
      const button = element("button", { type: "button" }, ...head.childNodes);
      button.addEventListener("click", () => sortBy(table, head, column));
      head.append(button);
    });
  }
}

function sortBy(table, head, column) {
  const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", direction);
  const text = (row) => row.cells[column].textContent;
  const rows = [...table.tBodies[0].rows].sort((one, two) => inOrder(text(one), text(two)));
  table.tBodies[0].append(...(direction === "ascending" ? rows : rows.reverse()));
}

// Numbers by value, and before texts; texts by letters and the numbers in them.
function inOrder(one, two) {
  const [a, b] = [one, two].map((text) => (text.trim() === "" ? NaN : Number(text.replaceAll(",", ""))));
  if (!Number.isNaN(a) && !Number.isNaN(b)) return a - b;
  return Number.isNaN(a) - Number.isNaN(b) || one.localeCompare(two, "en", { numeric: true });
}

function saveNumbers(files) {
  for (const link of document.querySelectorAll("a.csv")) {
    const text = files[link.dataset.key];
    if (text === undefined) continue;
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = link.dataset.key.replaceAll("/", "-") + ".csv";
  }
}

function openDetails() {
  const openAround = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let around = target; around; around = around.parentElement) if (around.tagName === "DETAILS") around.open = true;
  };
  addEventListener("hashchange", openAround);
  openAround();
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((details) => { details.open = false; }));
}
