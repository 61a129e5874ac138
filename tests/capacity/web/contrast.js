// Texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3).
() => {
  const part = (value) => { const of = value / 255; return of <= 0.03928 ? of / 12.92 : ((of + 0.055) / 1.055) ** 2.4; };
  const light = (colour) => {
    const found = colour.match(/[\d.]+/g).map(Number);
    if (found.length > 3 && found[3] === 0) return null;
    return 0.2126 * part(found[0]) + 0.7152 * part(found[1]) + 0.0722 * part(found[2]);
  };
  const behind = (item) => {
    for (let at = item; at; at = at.parentElement) {
      const found = light(getComputedStyle(at).backgroundColor);
      if (found !== null) return found;
    }
    return 1;
  };
  const out = [];
  for (const item of document.querySelectorAll("main *, header *")) {
    const text = [...item.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent.trim()).join("");
    if (!text || item instanceof SVGElement) continue;
    const front = light(getComputedStyle(item).color), paper = behind(item);
    const ratio = (Math.max(front, paper) + 0.05) / (Math.min(front, paper) + 0.05);
    if (ratio < 4.5) out.push([ratio, text.slice(0, 40)]);
  }
  return out;
}
