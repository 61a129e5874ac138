// Two saved reviews go to the server as one document; what comes back is the table.
"use strict";
document.getElementById("saved").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget, result = document.getElementById("result");
  const text = async (id) => { const file = document.getElementById(id).files[0]; return file ? file.text() : "null"; };
  const body = `{"before":${await text("before")},"after":${await text("after")}}`;
  const answer = await fetch("/diff", { method: "POST", body, headers: { "Content-Type": "application/json", "X-CSRF-Token": form.dataset.csrf, Accept: "text/html" } });
  // Made by our templates, which escape every name.
  result.innerHTML = await answer.text();
});
