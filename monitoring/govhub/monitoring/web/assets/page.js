// What every page does besides htmx: the age of the data goes on while nothing new comes, and says when it is old.
"use strict";
(() => {
  const OLD = 60;
  const span = (seconds) => {
    if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
    if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
    return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
  };
  const tick = () => {
    for (const item of document.querySelectorAll("[data-ago]")) {
      const words = JSON.parse(item.dataset.words);
      const age = Date.now() / 1000 - Number(item.dataset.ago);
      item.textContent = `(${span(age)} ${words.ago})` + (age > OLD ? ` ${words.old}` : "");
      item.classList.toggle("old", age > OLD);
    }
  };
  setInterval(tick, 1000);
  tick();
})();
document.addEventListener("change", (event) => { if (event.target.matches("[data-submit]")) event.target.form.requestSubmit(); });
