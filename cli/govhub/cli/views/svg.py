"""What pictures begin with."""

from __future__ import annotations

from html import escape

from rich.cells import cell_len, set_cell_size

FONT = (
    "'Noto Sans CJK SC', 'Source Han Sans SC', 'Microsoft YaHei', 'PingFang SC', 'WenQuanYi Micro Hei', 'Noto Sans', "
    "sans-serif"
)


def opening(head: str, width: int, height: int) -> list[str]:
    """An open ``svg`` element in pixels: white, with a title that is read aloud and one that is seen."""
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"',
        f'  height="{height}" font-family="{FONT}" font-size="11" role="img">',
        f"<title>{escape(head)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="16" font-weight="bold">{escape(head)}</text>',
    ]


def short(text: str, cells: int) -> str:
    """A text that takes no more room than so many Latin letters; Chinese ones take two."""
    return text if cell_len(text) <= cells else set_cell_size(text, cells - 1).rstrip() + "…"


def empty(text: str) -> str:
    """A picture that says why there is none."""
    size = 'width="600" height="60" viewBox="0 0 600 60"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" font-size="14" role="img">'
        f'<rect width="600" height="60" fill="#ffffff"/><text x="12" y="36">{escape(text)}</text></svg>\n'
    )
