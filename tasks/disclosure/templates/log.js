"use strict";
(function () {
  var form = document.getElementById("finder");
  if (!form) { return; }
  var items = Array.from(document.querySelectorAll("#entries > li"));
  var texts = items.map(function (item) { return plain(item.textContent); });
  var count = document.getElementById("count");
  var whole = count.textContent;
  function plain(text) { return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase(); }
  function find() {
    var words = plain(form.elements.words.value).split(/\s+/).filter(Boolean);
    var outcome = form.elements.outcome.value;
    var year = form.elements.year.value;
    var shown = 0;
    items.forEach(function (item, index) {
      var hit = (!outcome || item.dataset.outcome === outcome) && (!year || item.dataset.year === year) &&
        words.every(function (word) { return texts[index].includes(word); });
      item.hidden = !hit;
      shown += hit ? 1 : 0;
    });
    var all = !words.length && !outcome && !year;
    count.textContent = all ? whole : shown === 0 ? "No response matches." :
      shown + " of " + items.length + (items.length === 1 ? " response matches." : " responses match.");
  }
  form.addEventListener("input", find);
  form.addEventListener("submit", function (event) { event.preventDefault(); find(); });
  form.hidden = false;
  find();
})();
