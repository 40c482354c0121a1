openDetails();
sortTables();
if ("DecompressionStream" in window) {
  const data = await unpack();
  saveNumbers(data.files);
  if (document.getElementById("explorer")) {
    const shown = [explore(data), readSentences(data)];
    document.querySelector("#explorer .static").hidden = shown.some(Boolean);
  }
}
offerCopies();
