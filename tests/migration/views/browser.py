"""A real browser without a window: what it makes of a page, measured inside of it, and a picture of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WITHOUT = "no Chromium is installed (Debian: apt-get install chromium fonts-wqy-microhei)"
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)
# Every text that is seen: where it stands, and which box it has to stay in.
_MEASURE = """
const found = [];
for (const item of document.querySelectorAll('svg text')) {
  const box = item.getBoundingClientRect(), own = item.ownerSVGElement.getBoundingClientRect();
  found.push({text: [...item.childNodes].filter(n => n.nodeName !== 'title').map(n => n.textContent).join(''),
    left: box.left - own.left, top: box.top - own.top, right: box.right - own.left, bottom: box.bottom - own.top,
    width: own.width, height: own.height});
}
for (const item of document.querySelectorAll('td, th, h1, h2, p, nav a')) {
  const range = document.createRange();
  range.selectNodeContents(item);
  const box = range.getBoundingClientRect();
  found.push({text: item.textContent, left: box.left, top: box.top + scrollY, right: box.right,
    bottom: box.bottom + scrollY, width: document.documentElement.clientWidth,
    height: document.documentElement.scrollHeight,
    lines: new Set([...range.getClientRects()].map(part => Math.round(part.top))).size,
    cut: item.clientWidth > 0 && item.scrollWidth > item.clientWidth + 1});
}
function drawn(letter) {
  const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
  canvas.width = canvas.height = 40;
  const shown = document.querySelector('svg') || document.body;
  pen.font = '30px ' + getComputedStyle(shown).fontFamily;
  pen.fillText(letter, 2, 32);
  return [...pen.getImageData(0, 0, 40, 40).data].join();
}
const out = document.createElement('pre');
out.id = 'measured';
out.textContent = JSON.stringify({texts: found, wide: document.documentElement.scrollWidth,
  seen: document.documentElement.clientWidth,
  fonts: getComputedStyle(document.querySelector('svg') || document.body).fontFamily,
  // Characters that a font does not have are all drawn as one empty box.
  chinese: drawn('核') !== drawn('验')});
document.body.appendChild(out);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text as the browser shows it, in pixels of its picture or page."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    width: float
    height: float
    cut: bool = False
    lines: int = 1

    @property
    def inside(self) -> bool:
        """Whether all of it is in the picture."""
        return self.left >= 0 and self.top >= 0 and self.right <= self.width and self.bottom <= self.height

    def covers(self, other: Text) -> bool:
        """Whether the two are written over each other; line boxes of neighbouring lines may touch."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > 1 and down > 3


@dataclass(frozen=True, slots=True)
class Browser:
    """One that is installed."""

    program: str
    folder: Path
    """For its profile and the pages that it is shown."""

    def measure(self, content: str, width: int = 1500) -> tuple[list[Text], dict[str, Any]]:
        """Every text of an SVG or HTML document, and of the page: its width, and the width that is seen."""
        page = self.folder / "measured.html"
        script = f"<script>{_MEASURE}</script>"
        if "</body>" in content:
            # The dossier's page forbids scripts to itself; it is measured without its own rule.
            content = re.sub(r"<meta http-equiv=[^>]*>", "", content)
            page.write_text(content.replace("</body>", f"{script}</body>"), encoding="utf-8")
        else:
            head = '<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">'
            page.write_text(f"{head}{content}{script}</body>", encoding="utf-8")
        said = self._run(f"--window-size={width},1000", "--dump-dom", page.as_uri())
        match = re.search(r'<pre id="measured">(.*?)</pre>', said, re.DOTALL)
        assert match, said[-2000:]
        document = json.loads(unescape(match[1]))
        return [Text(**item) for item in document.pop("texts")], document

    def picture(self, file: Path, to: Path, width: int = 1500, height: int = 1000) -> Path:
        """A PNG of a file as it is opened by itself."""
        self._run(f"--window-size={width},{height}", f"--screenshot={to}", file.as_uri())
        return to

    def _run(self, *words: str) -> str:
        profile = f"--user-data-dir={self.folder / 'profile'}"
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}
        done = subprocess.run(
            [self.program, *_QUIET, profile, *words],
            check=True,
            capture_output=True,
            text=True,
            timeout=90,
            env=environment,
        )
        return done.stdout


def installed() -> str | None:
    """The path of a browser; None when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def knows_chinese() -> bool:
    """Whether this machine has a font with Chinese characters."""
    tool = shutil.which("fc-list")
    if tool is None:
        return False
    return bool(subprocess.run([tool, ":lang=zh-cn"], check=True, capture_output=True, text=True).stdout.strip())
