"use strict";
(() => {
  const { reference, dossier } = document.body.dataset;
  const removed = new Set(), boxes = [], terms = [];
  const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

  const show = () => {
    for (const mark of document.querySelectorAll(".mark")) mark.classList.toggle("removed", removed.has(mark.dataset.mark));
    for (const button of document.querySelectorAll("[data-remove]")) {
      const gone = button.dataset.remove.split(" ").every((name) => removed.has(name));
      button.classList.toggle("chosen", gone);
      button.textContent = gone ? "withhold again" : "show";
    }
    document.getElementById("made").hidden = !(removed.size || boxes.length || terms.length);
    document.getElementById("form").textContent =
      `In the form in Prefect: dossier ${dossier}` +
      (removed.size ? `; remove ${[...removed].join(", ")}` : "") +
      (boxes.length ? `; boxes ${boxes.join("   ")}` : "") +
      (terms.length ? "; file: what the command prints with --upload-only (never type a term there)" : "");
    document.getElementById("chosen").textContent =
      `${removed.size} to show, ${boxes.length} drawn, ${terms.length} term${terms.length === 1 ? "" : "s"}`;
    document.getElementById("command").textContent = [
      `foi correct ${reference} --dossier ${dossier}`,
      ...[...removed].map((name) => `--remove ${name}`),
      ...boxes.map((box) => `--box ${box}`),
      ...terms.map((term) => `--term ${quoted(term)}`),
      `--reviewer "YOUR NAME" --reason "WHY"`,
    ].join(" ");
  };

  document.addEventListener("click", (event) => {
    const { remove, view } = event.target.dataset;
    if (remove) {
      const names = remove.split(" ");
      const gone = names.every((name) => removed.has(name));
      for (const name of names) gone ? removed.delete(name) : removed.add(name);
      show();
    }
    if (view !== undefined) document.body.className = view;
    if (event.target.id === "add") {
      const input = document.getElementById("term");
      if (input.value.trim()) terms.push(input.value.trim());
      input.value = "";
      show();
    }
    if (event.target.id === "clear") {
      removed.clear(); boxes.length = 0; terms.length = 0;
      for (const drawn of document.querySelectorAll(".drawn")) drawn.remove();
      show();
    }
  });

  let drawing = null;
  const at = (sheet, event) => {
    const edge = sheet.getBoundingClientRect();
    const inside = (value) => Math.min(1, Math.max(0, value));
    return [inside((event.clientX - edge.left) / edge.width), inside((event.clientY - edge.top) / edge.height)];
  };
  document.addEventListener("pointerdown", (event) => {
    const sheet = event.target.closest(".sheet");
    if (!sheet || event.button !== 0) return;
    const box = document.createElement("span");
    box.className = "drawn";
    drawing = { sheet, box, from: at(sheet, event), to: at(sheet, event) };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    const { sheet, box, from } = drawing;
    const to = (drawing.to = at(sheet, event));
    if (!box.isConnected) sheet.append(box);
    box.style.left = `${100 * Math.min(from[0], to[0])}%`;
    box.style.top = `${100 * Math.min(from[1], to[1])}%`;
    box.style.width = `${100 * Math.abs(from[0] - to[0])}%`;
    box.style.height = `${100 * Math.abs(from[1] - to[1])}%`;
  });
  document.addEventListener("pointerup", () => {
    if (!drawing) return;
    const { sheet, box, from, to } = drawing;
    drawing = null;
    const { record, page, width, height } = sheet.dataset;
    const left = Math.floor(Math.min(from[0], to[0]) * width), right = Math.ceil(Math.max(from[0], to[0]) * width);
    const top = Math.floor(Math.min(from[1], to[1]) * height), bottom = Math.ceil(Math.max(from[1], to[1]) * height);
    if (right - left < 6 || bottom - top < 6) return box.remove();
    boxes.push(`${record}:${page}:${left},${top},${right},${bottom}`);
    show();
  });
  show();
})();
