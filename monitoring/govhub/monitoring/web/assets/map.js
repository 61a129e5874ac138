// The map of all racks: columns of bytes drawn pixel by pixel while racks are small, as labelled boxes when they are large.
"use strict";
(() => {
  const told = JSON.parse(document.getElementById("map-data").textContent);
  const canvas = document.getElementById("floor");
  const pen = canvas.getContext("2d", { alpha: false });
  const by = (id) => document.getElementById(id);
  const TALL = 1.5; // of a row's two cells; the rest is its aisle
  const LABELLED = 24; // pixels a cell from which names and figures fit
  let racks = null, names = null, view = { scale: 4, x: 0, y: 0 }, chosen = -1, hovered = -1, dirty = false, asked = 0;
  const LEVELS = ["empty", "low", "half", "high", "full", "over", "unknown"];
  const HUES = ["#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#0072b2", "#d55e00", "#f0e442", "#8b97a3"];
  const ROOM = [[0, "over"], [1, "full"], [4, "high"], [9, "half"], [253, "low"], [254, "empty"]];

  function classes(value) {
    const out = new Uint8Array(256);
    for (let number = 0; number < 256; number += 1) {
      if (number === 255) out[number] = value === "binding" ? HUES.length - 1 : 6;
      else if (value === "servers") out[number] = LEVELS.indexOf(ROOM.find(([most]) => number <= most)[1]);
      else if (value === "binding") out[number] = Math.min(number, HUES.length - 2);
      else out[number] = number === 0 ? 0 : number <= 50 ? 1 : number <= 75 ? 2 : number <= 90 ? 3 : number <= 100 ? 4 : 5;
    }
    return out;
  }
  const style = () => getComputedStyle(document.documentElement);
  function colours(value) {
    if (value === "binding") return HUES;
    const own = style();
    return LEVELS.map((name) => own.getPropertyValue(`--${name}`).trim());
  }
  const packed = (colour) => {
    const number = parseInt(colour.slice(1), 16);
    return (255 << 24 | (number & 255) << 16 | (number >> 8 & 255) << 8 | number >> 16) >>> 0;
  };
  const value = () => by("value").value;

  function read(buffer) {
    const count = new DataView(buffer).getUint32(4, true);
    let at = 8;
    const wide = () => { const found = new Uint16Array(buffer.slice(at, at + 2 * count)); at += 2 * count; return found; };
    const out = { count, x: wide(), y: wide(), hall: wide(), values: {} };
    for (const name of names.values) { out.values[name] = new Uint8Array(buffer, at, count); at += count; }
    out.grid = new Map();
    for (let rack = 0; rack < count; rack += 1) out.grid.set(out.y[rack] * 65536 + out.x[rack], rack);
    out.width = Math.max(...names.halls.map((hall) => hall.x + hall.width), 1);
    out.height = Math.max(...names.halls.map((hall) => hall.y + hall.height), 1);
    return out;
  }
  let addresses = null;
  function address(rack) {
    if (!addresses) {
      addresses = [];
      for (const hall of names.halls) for (const [row, list] of hall.rows) for (const name of names.lists[list]) addresses.push(`${hall.name}/${row}/${name}`);
    }
    return addresses[rack];
  }
  function written(rack) {
    const number = racks.values[value()][rack];
    if (number === 255) return told.words.unknown;
    if (value() === "binding") return told.resources[names.binding[number]] || names.binding[number];
    const more = number === 254 ? "≥ " : "";
    return value() === "servers" ? more + number : `${more}${number} %`;
  }

  function fit(box) {
    const { clientWidth: width, clientHeight: height } = canvas;
    const margin = 1.5;
    view.scale = Math.min(width / (box.width + 2 * margin), height / (box.height + 2 * margin + 1));
    view.x = box.x - (width / view.scale - box.width) / 2;
    view.y = box.y - (height / view.scale - box.height) / 2;
    draw();
  }
  const fitAll = () => fit({ x: 0, y: 0, width: racks.width, height: racks.height });
  function zoom(factor, atX = canvas.clientWidth / 2, atY = canvas.clientHeight / 2) {
    const before = view.scale;
    view.scale = Math.min(120, Math.max(0.4, before * factor));
    view.x += atX / before - atX / view.scale;
    view.y += atY / before - atY / view.scale;
    draw();
  }
  function show(rack) {
    const width = canvas.clientWidth / view.scale, height = canvas.clientHeight / view.scale;
    const x = racks.x[rack], y = racks.y[rack];
    if (x < view.x + 1 || x > view.x + width - 2) view.x = x - width / 2;
    if (y < view.y + 1 || y > view.y + height - 3) view.y = y - height / 2;
  }

  function draw() {
    if (dirty) return;
    dirty = true;
    requestAnimationFrame(paint);
  }
  let image = null;
  function paint() {
    dirty = false;
    if (!racks) return;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; image = null; }
    const scale = view.scale * ratio;
    (scale < LABELLED ? pixels : boxes)(width, height, scale);
    titles(scale, ratio);
    mark(scale, ratio);
    if (!canvas.dataset.drawn) canvas.dataset.drawn = String(Math.round(performance.now()));
    canvas.dataset.frames = String(Number(canvas.dataset.frames || 0) + 1);
  }
  // Unknown is a chequer, more than full has a dark diagonal: both are seen without colour.
  function pixels(width, height, scale) {
    image = image || pen.createImageData(width, height);
    const out = new Uint32Array(image.data.buffer), paper = packed(style().getPropertyValue("--card").trim());
    const ink = packed(style().getPropertyValue("--ink").trim());
    out.fill(paper);
    const kind = classes(value()), found = racks.values[value()], fill = colours(value()).map(packed);
    const plain = value() === "binding", gap = scale > 4 ? 1 : 0;
    for (let rack = 0; rack < racks.count; rack += 1) {
      const left = Math.round((racks.x[rack] - view.x) * scale), top = Math.round((racks.y[rack] - view.y) * scale);
      let right = Math.round((racks.x[rack] + 1 - view.x) * scale) - gap, bottom = Math.round((racks.y[rack] + TALL - view.y) * scale);
      if (right <= left) right = left + 1;
      if (bottom <= top) bottom = top + 1;
      if (right <= 0 || bottom <= 0 || left >= width || top >= height) continue;
      const own = kind[found[rack]], colour = fill[own], x0 = Math.max(left, 0), x1 = Math.min(right, width);
      const hollow = plain ? found[rack] === 255 : own === 6, crossed = !plain && own === 5;
      for (let y = Math.max(top, 0), end = Math.min(bottom, height); y < end; y += 1) {
        const line = y * width;
        if (hollow) for (let x = x0; x < x1; x += 1) out[line + x] = (x + y) & 3 ? paper : colour;
        else out.fill(colour, line + x0, line + x1);
        if (crossed) { const x = left + Math.floor((y - top) * (right - left) / (bottom - top)); if (x >= 0 && x < width) out[line + x] = ink; }
      }
    }
    pen.putImageData(image, 0, 0);
  }
  function boxes(width, height, scale) {
    const own = style();
    pen.fillStyle = own.getPropertyValue("--card").trim();
    pen.fillRect(0, 0, width, height);
    const kind = classes(value()), found = racks.values[value()], fill = colours(value()), plain = value() === "binding";
    const ink = own.getPropertyValue("--ink").trim(), light = own.getPropertyValue("--card").trim();
    pen.textAlign = "center";
    pen.font = `${Math.min(scale * 0.3, 15)}px system-ui, sans-serif`;
    for (let rack = 0; rack < racks.count; rack += 1) {
      const left = (racks.x[rack] - view.x) * scale, top = (racks.y[rack] - view.y) * scale;
      if (left > width || top > height || left + scale < 0 || top + scale * TALL < 0) continue;
      const class_ = kind[found[rack]], wide = scale * 0.94, tall = scale * TALL * 0.98;
      pen.fillStyle = fill[class_];
      const hollow = found[rack] === 255;
      if (hollow) {
        pen.strokeStyle = fill[class_];
        pen.strokeRect(left + 1, top + 1, wide - 2, tall - 2);
        pen.beginPath();
        for (let at = 0; at < 2; at += 0.4) { pen.moveTo(left + wide * Math.min(at, 1), top + tall * Math.max(at - 1, 0)); pen.lineTo(left + wide * Math.max(at - 1, 0), top + tall * Math.min(at, 1)); }
        pen.stroke();
      } else pen.fillRect(left, top, wide, tall);
      if (!plain && class_ === 5) {
        pen.strokeStyle = ink;
        pen.beginPath(); pen.moveTo(left, top); pen.lineTo(left + wide, top + tall); pen.moveTo(left + wide, top); pen.lineTo(left, top + tall); pen.stroke();
      }
      pen.fillStyle = hollow || !dark(fill[class_]) ? (hollow ? ink : "#10202e") : "#ffffff";
      if (hollow) { pen.fillStyle = light; pen.fillRect(left + wide * 0.1, top + tall * 0.2, wide * 0.8, tall * 0.62); pen.fillStyle = ink; }
      pen.fillText(address(rack).split("/")[3], left + wide / 2, top + tall * 0.4);
      pen.fillText(short(rack), left + wide / 2, top + tall * 0.74);
    }
  }
  const dark = (colour) => { const n = parseInt(colour.slice(1), 16); return (n >> 16) * 0.3 + (n >> 8 & 255) * 0.59 + (n & 255) * 0.11 < 130; };
  function short(rack) {
    const number = racks.values[value()][rack];
    if (number === 255) return "?";
    return value() === "binding" ? written(rack).slice(0, view.scale > 60 ? 12 : 3) : written(rack).replace(" ", "");
  }
  function titles(scale, ratio) {
    pen.fillStyle = style().getPropertyValue("--ink").trim();
    pen.textAlign = "left";
    pen.font = `600 ${12 * ratio}px system-ui, "WenQuanYi Micro Hei", sans-serif`;
    for (const hall of names.halls) {
      const left = (hall.x - view.x) * scale, top = (hall.y - view.y) * scale, wide = hall.width * scale;
      const text = pen.measureText(hall.name).width < wide ? hall.name : hall.name.split("/")[1];
      if (pen.measureText(text).width < wide + 8) pen.fillText(text, left, top - 4 * ratio);
    }
    if (scale < 11) return;
    pen.font = `${10 * ratio}px system-ui, sans-serif`;
    pen.textAlign = "right";
    for (const hall of names.halls) hall.rows.forEach(([row], line) => pen.fillText(row, (hall.x - view.x) * scale - 3 * ratio, (hall.y + 2 * line + 1 - view.y) * scale));
  }
  function mark(scale, ratio) {
    for (const [rack, wide] of [[hovered, 1], [chosen, 3]]) {
      if (rack < 0) continue;
      pen.strokeStyle = style().getPropertyValue(wide === 3 ? "--focus" : "--ink").trim();
      pen.lineWidth = wide * ratio;
      const size = Math.max(scale, 6 * ratio);
      pen.strokeRect((racks.x[rack] - view.x) * scale - 1, (racks.y[rack] - view.y) * scale - 1, size + 1, Math.max(scale * TALL, 8 * ratio) + 1);
      pen.lineWidth = 1;
    }
  }

  function legend() {
    const kind = classes(value()), found = racks.values[value()], counts = new Map();
    for (let rack = 0; rack < racks.count; rack += 1) counts.set(kind[found[rack]], (counts.get(kind[found[rack]]) || 0) + 1);
    const fill = colours(value()), list = by("legend");
    const texts = value() === "binding" ? [...names.binding.slice(0, HUES.length - 1).map((name) => told.resources[name] || name)] : value() === "servers" ? told.room : told.levels;
    list.replaceChildren();
    fill.forEach((colour, own) => {
      const unknown = value() === "binding" ? own === HUES.length - 1 : own === 6;
      const text = unknown ? told.words.unknown : texts[own];
      if (!text || (value() === "binding" && !counts.get(own))) return;
      const item = document.createElement("li"), box = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      box.setAttribute("viewBox", "0 0 14 12");
      const shape = (tag, attributes) => { const made = document.createElementNS("http://www.w3.org/2000/svg", tag); for (const [name, of] of Object.entries(attributes)) made.setAttribute(name, of); box.append(made); };
      shape("rect", { width: 14, height: 12, fill: unknown ? "none" : colour, stroke: colour });
      if (unknown) shape("path", { d: "M0 6 6 0M0 12 12 0M6 12 14 4", stroke: colour, fill: "none" });
      if (!unknown && value() !== "binding" && own === 5) shape("path", { d: "M0 0 14 12M14 0 0 12", stroke: "currentColor", fill: "none" });
      const label = document.createElement("span");
      label.textContent = `${text} `;
      const count = document.createElement("b");
      count.textContent = (counts.get(own) || 0).toLocaleString("en-US");
      item.append(box, label, count);
      list.append(item);
    });
  }

  function choose(rack, { open = true } = {}) {
    chosen = rack;
    if (rack >= 0) {
      show(rack);
      by("said").textContent = `${address(rack)}, ${by("value").selectedOptions[0].textContent}: ${written(rack)}`;
      if (open) { clearTimeout(asked); asked = setTimeout(() => htmx.ajax("GET", `/map/rack/${address(rack).split("/").map(encodeURIComponent).join("/")}`, { target: "#card", swap: "innerHTML" }), 120); }
    }
    draw();
  }
  function rackAt(event) {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left) / view.scale + view.x), y = Math.floor((event.clientY - box.top) / view.scale + view.y);
    for (const line of [y, y - 1]) {
      const rack = racks.grid.get(line * 65536 + x);
      if (rack !== undefined) return rack;
    }
    return -1;
  }
  function next(dx, dy) {
    if (chosen < 0) return choose(nearest());
    for (let far = 1; far < 400; far += 1) {
      const rack = racks.grid.get((racks.y[chosen] + dy * far) * 65536 + racks.x[chosen] + dx * far);
      if (rack !== undefined) return choose(rack);
    }
    return undefined;
  }
  function nearest() {
    const x = view.x + canvas.clientWidth / view.scale / 2, y = view.y + canvas.clientHeight / view.scale / 2;
    let best = 0, least = Infinity;
    for (let rack = 0; rack < racks.count; rack += 1) {
      const far = (racks.x[rack] - x) ** 2 + (racks.y[rack] - y) ** 2;
      if (far < least) { least = far; best = rack; }
    }
    return best;
  }

  let drag = null;
  canvas.addEventListener("pointerdown", (event) => { drag = { x: event.clientX, y: event.clientY, far: 0 }; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    if (!racks) return;
    if (drag) {
      view.x -= (event.clientX - drag.x) / view.scale; view.y -= (event.clientY - drag.y) / view.scale;
      drag = { x: event.clientX, y: event.clientY, far: drag.far + Math.abs(event.clientX - drag.x) + Math.abs(event.clientY - drag.y) };
      by("tip").hidden = true;
      draw();
      return;
    }
    const rack = rackAt(event);
    if (rack !== hovered) { hovered = rack; draw(); }
    const tip = by("tip");
    tip.hidden = rack < 0;
    if (rack >= 0) {
      tip.textContent = `${address(rack)}: ${written(rack)}`;
      const box = canvas.getBoundingClientRect();
      tip.style.left = `${Math.min(event.clientX - box.left + 14, box.width - 240)}px`;
      tip.style.top = `${event.clientY - box.top + 16}px`;
    }
  });
  canvas.addEventListener("pointerup", (event) => { if (drag && drag.far < 5) { const rack = rackAt(event); if (rack >= 0) choose(rack); } drag = null; });
  canvas.addEventListener("pointercancel", () => { drag = null; });
  canvas.addEventListener("pointerleave", () => { hovered = -1; by("tip").hidden = true; draw(); });
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); const box = canvas.getBoundingClientRect(); zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top); }, { passive: false });
  canvas.addEventListener("dblclick", (event) => { const rack = rackAt(event); if (rack >= 0) window.location.href = `/rack/${address(rack)}`; });
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !racks) return;
    const arrow = ARROWS[event.key];
    if (arrow && event.shiftKey) { view.x += arrow[0] * 60 / view.scale; view.y += arrow[1] * 60 / view.scale; draw(); }
    else if (arrow) next(...arrow);
    else if (event.key === "+" || event.key === "=") zoom(1.3);
    else if (event.key === "-") zoom(1 / 1.3);
    else if (event.key === "0") fitAll();
    else if (event.key === "Enter" && chosen >= 0) window.location.href = `/rack/${address(chosen)}`;
    else if (event.key === "Escape") choose(-1);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "/" && document.activeElement !== by("search")) { event.preventDefault(); by("search").focus(); } });
  by("in").addEventListener("click", () => zoom(1.3));
  by("out").addEventListener("click", () => zoom(1 / 1.3));
  by("fit").addEventListener("click", () => { by("hall").value = ""; fitAll(); });
  by("value").addEventListener("change", () => { legend(); draw(); });
  by("hall").addEventListener("change", () => { const hall = names.halls.find((item) => item.name === by("hall").value); if (hall) fit(hall); else fitAll(); });
  by("tools").addEventListener("submit", (event) => event.preventDefault());

  let matches = [], at = 0;
  function search() {
    const word = by("search").value.trim().toLowerCase(), list = by("found");
    matches = [];
    if (word && racks) for (let rack = 0; rack < racks.count && matches.length < 12; rack += 1) if (address(rack).includes(word)) matches.push(rack);
    at = 0;
    list.replaceChildren(...matches.map((rack, place) => {
      const item = document.createElement("li");
      item.id = `found-${place}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(place === at));
      item.textContent = `${address(rack)} · ${written(rack)}`;
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); go(rack); });
      return item;
    }));
    if (word && !matches.length) { const none = document.createElement("li"); none.textContent = told.words.nothing; list.append(none); }
    list.hidden = !word;
    by("search").setAttribute("aria-expanded", String(Boolean(word)));
  }
  function go(rack) { by("found").hidden = true; by("search").setAttribute("aria-expanded", "false"); if (view.scale < 12) view.scale = 26; view.x = -1e9; choose(rack); canvas.focus(); }
  by("search").addEventListener("input", search);
  by("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && matches.length) { event.preventDefault(); go(matches[at]); }
    else if (event.key === "Escape") { by("found").hidden = true; canvas.focus(); }
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = Math.max(0, Math.min(matches.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)));
      [...by("found").children].forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
      by("search").setAttribute("aria-activedescendant", `found-${at}`);
    }
  });

  async function load(first) {
    const [bytes, more] = await Promise.all([fetch("/api/v1/map", { cache: "no-cache" }), fetch("/api/v1/map/names", { cache: "no-cache" })]);
    if (!bytes.ok || !more.ok) throw new Error(String(bytes.status));
    const found = await bytes.arrayBuffer();
    names = await more.json();
    racks = read(found);
    addresses = null;
    canvas.dataset.racks = String(racks.count);
    legend();
    if (!first) return draw();
    const hall = names.halls.find((item) => item.name === by("hall").value);
    return hall ? fit(hall) : fitAll();
  }
  const again = (first) => load(first).catch(() => { by("said").textContent = told.words.away; });
  new ResizeObserver(() => draw()).observe(canvas);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { legend(); draw(); });
  setInterval(() => again(false), told.refresh * 1000);
  again(true);
})();
