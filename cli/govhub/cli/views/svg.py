"""What pictures begin with."""

from __future__ import annotations

from html import escape

FONT = "'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', 'Noto Sans', sans-serif"


def opening(head: str, width: int, height: int) -> list[str]:
    """An open ``svg`` element in pixels: white, with a title that is read aloud and one that is seen."""
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"',
        f'  height="{height}" font-family="{FONT}" font-size="11" role="img">',
        f"<title>{escape(head)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="16" font-weight="bold">{escape(head)}</text>',
    ]
