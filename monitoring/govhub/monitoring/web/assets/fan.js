// Fans of forecasts: what was, the middle and the two ends of what may come, the limit, and the day to order by.
"use strict";
(() => {
  const told = JSON.parse(document.getElementById("fans").textContent);
  const own = getComputedStyle(document.documentElement);
  const colour = (name) => own.getPropertyValue(`--${name}`).trim();
  const day = 86400;
  function marks(fan) {
    return { hooks: { draw: [(plot) => {
      const pen = plot.ctx, ratio = window.devicePixelRatio || 1;
      for (const [at, text, line] of [[fan.order_by, told.words.order, [2, 3]], [fan.full, told.words.full, []]]) {
        if (at === null) continue;
        const x = plot.valToPos(at, "x", true);
        if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
        pen.save();
        pen.strokeStyle = colour("focus"); pen.setLineDash(line.map((part) => part * ratio)); pen.lineWidth = 1.5 * ratio;
        pen.beginPath(); pen.moveTo(x, plot.bbox.top); pen.lineTo(x, plot.bbox.top + plot.bbox.height); pen.stroke();
        pen.fillStyle = colour("ink"); pen.font = `${11 * ratio}px system-ui, sans-serif`; pen.textAlign = "right";
        pen.fillText(text, x - 4 * ratio, plot.bbox.top + (line.length ? 12 : 26) * ratio);
        pen.restore();
      }
    }] } };
  }
  const charts = document.getElementById("charts");
  for (const fan of told.fans) {
    const box = document.createElement("section"), title = document.createElement("h3"), where = document.createElement("div");
    box.className = "chart";
    title.textContent = fan.title;
    box.append(title, where);
    charts.append(box);
    const axis = { stroke: colour("soft"), grid: { stroke: colour("line2"), width: 1 }, ticks: { stroke: colour("line") } };
    const line = (label, stroke, more) => ({ label, stroke, width: 1.5, points: { show: false }, value: (_, value) => value === null || value === undefined ? "–" : value.toLocaleString("en-US", { maximumFractionDigits: 1 }), ...more });
    const plot = new uPlot({
      width: Math.max(box.clientWidth - 22, 300), height: 240, plugins: [marks(fan)], tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC"),
      scales: { x: { time: true }, y: { range: (_, least, most) => [Math.min(0, least), most * 1.06 || 1] } },
      series: [{ label: told.words.day, value: (_, stamp) => stamp ? new Date(stamp * 1000).toISOString().slice(0, 10) : "–" },
        line(told.words.was, colour("full"), { width: 1.5, spanGaps: false }), line("p10", colour("high"), { dash: [4, 4] }), line("p50", colour("full"), { dash: [8, 4], width: 2 }), line("p90", colour("high"), { dash: [4, 4] }),
        line(told.words.limit, colour("over"), { dash: [1, 3], width: 2 })],
      bands: [{ series: [2, 4], fill: `${colour("half")}44` }, { series: [4, 2], fill: `${colour("half")}44` }],
      axes: [axis, { ...axis, size: 84, values: (_, splits) => splits.map((value) => `${value.toLocaleString("en-US")} ${fan.unit}`) }],
    }, fan.data, where);
    new ResizeObserver(() => plot.setSize({ width: Math.max(box.clientWidth - 22, 300), height: 240 })).observe(box);
  }
  charts.dataset.drawn = String(told.fans.length);
})();
