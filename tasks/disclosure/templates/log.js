"use strict";
(function () {
  var form = document.getElementById("finder");
  if (!form) { return; }
  var most = 100;
  var list = document.getElementById("entries");
  var items = Array.from(list.children);
  var count = document.getElementById("count");
  var whole = count.textContent;
  var archive = document.querySelector(".archive");
  var all = null;

  function plain(text) { return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase(); }
  function plural(number, word) { return number.toLocaleString("en-GB") + " " + word + (number === 1 ? "" : "s"); }

  // Every response: those on the page, then the older ones, which are drawn when they are found.
  function everything() {
    if (all) { return all; }
    all = items.map(function (item) {
      return { item: item, text: plain(item.textContent), outcome: item.dataset.outcome, year: item.dataset.year };
    });
    var older = document.getElementById("older");
    (older ? JSON.parse(older.textContent) : []).forEach(function (row) {
      var entry = { reference: row[0], title: row[1], date: row[2], outcome: row[3], summary: row[4],
        records: row[5], pages: row[6], withheld: row[7], version: row[8], left: row[9], item: null };
      entry.year = entry.date.slice(-4);
      entry.text = plain([entry.title, entry.summary, words(entry.outcome), entry.reference, entry.date].join(" "));
      all.push(entry);
    });
    return all;
  }
  function words(outcome) { return form.elements.outcome.querySelector('[value="' + outcome + '"]').textContent; }

  function add(parent, name, text, className) {
    var made = document.createElement(name);
    made.textContent = text;
    if (className) { made.className = className; }
    parent.append(parent.firstChild ? " " : "", made);
    return made;
  }
  function draw(entry) {
    var item = document.createElement("li");
    var link = add(add(item, "h2", ""), "a", entry.title);
    link.href = "disclosures/" + encodeURIComponent(entry.reference) + "/index.html";
    if (entry.summary) { add(item, "p", entry.summary); }
    var meta = add(item, "p", "", "meta");
    add(meta, "span", words(entry.outcome), "tag " + entry.outcome);
    add(meta, "span", entry.reference);
    add(meta, "span", entry.date);
    if (entry.records) {
      add(meta, "span", plural(entry.records, "record") + ", " + plural(entry.pages, "page"));
      add(meta, "span", plural(entry.withheld, "part") + " withheld");
    }
    if (entry.left) { add(meta, "span", plural(entry.left, "record") + " not included"); }
    if (entry.version > 1 && entry.outcome !== "withdrawn") { add(meta, "span", "version " + entry.version); }
    return item;
  }

  function find() {
    var wanted = plain(form.elements.words.value).split(/\s+/).filter(Boolean);
    var outcome = form.elements.outcome.value;
    var year = form.elements.year.value;
    var searching = wanted.length > 0 || outcome !== "" || year !== "";
    if (archive) { archive.hidden = searching; }
    if (!searching) {
      items.forEach(function (item) { item.hidden = false; });
      list.replaceChildren.apply(list, items);
      count.textContent = whole;
      return;
    }
    var hits = everything().filter(function (entry) {
      return (!outcome || entry.outcome === outcome) && (!year || entry.year === year) &&
        wanted.every(function (word) { return entry.text.includes(word); });
    });
    list.replaceChildren.apply(list, hits.slice(0, most).map(function (entry) { return entry.item || draw(entry); }));
    count.textContent = hits.length === 0 ? "No response matches." :
      hits.length.toLocaleString("en-GB") + " of " + all.length.toLocaleString("en-GB") +
      (all.length === 1 ? " response matches" : " responses match") +
      (hits.length > most ? "; the newest " + most + " are shown." : ".");
  }
  form.addEventListener("input", find);
  form.addEventListener("submit", function (event) { event.preventDefault(); find(); });
  form.hidden = false;
  if (form.elements.words.value || form.elements.outcome.value || form.elements.year.value) { find(); }
})();
