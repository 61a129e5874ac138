"""The dossier as one HTML file that loads nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from unicodedata import east_asian_width

from govhub.core.events import Event
from govhub.migration.dossier.layout import Section, Table, sections, title
from govhub.migration.dossier.statement import Document
from govhub.migration.dossier.words import LANGUAGES

_NAMES = {"zh": "中文", "en": "English"}
_CODES = {"zh": "zh-CN", "en": "en"}
_FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Micro Hei",
    "Noto Sans",
)
_FONT = ",".join([*(f'"{name}"' for name in _FONTS), "sans-serif"])
_STYLE = (
    f"body{{font:14px/1.5 {_FONT};"
    """margin:2rem auto;max-width:84rem;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.6rem;border-bottom:2px solid #1a1a1a}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0}th,td{border:1px solid #999;padding:.25rem .5rem;
text-align:left;vertical-align:top}th{background:#eee;font-weight:600;white-space:nowrap}
td{overflow-wrap:anywhere;min-width:10em}td.s{overflow-wrap:normal;white-space:nowrap;min-width:0}
td.h{font-family:monospace;font-size:.8em;word-break:break-all;min-width:16ch}
nav a{margin-right:1rem}section+section{break-before:page}
@page{size:A4 landscape;margin:12mm}
@media print{nav{display:none}body{max-width:none;margin:0;padding:0;font-size:8pt}h2{break-after:avoid}
tr{break-inside:avoid}th,td{padding:.15rem .3rem}}
"""
)
_SHORT = 28
"""Columns of a terminal up to which a cell is one line: times, names and words fall apart otherwise."""
_HASH = re.compile(r"[0-9a-f]{64}")


def page(document: Document, events: Sequence[Event]) -> str:
    """Both languages, one after the other."""
    links = "".join(f'<a href="#{item}">{_NAMES[item]}</a>' for item in LANGUAGES)
    bodies = "".join(_body(document, events, item) for item in LANGUAGES)
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title(document, 'zh'))}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<nav>{links}</nav>\n{bodies}</body>\n</html>\n"
    )


def _body(document: Document, events: Sequence[Event], language: str) -> str:
    parts = [_section(item, first=index == 0) for index, item in enumerate(sections(document, events, language))]
    return f'<section id="{language}" lang="{_CODES[language]}">\n{"".join(parts)}</section>\n'


def _section(item: Section, *, first: bool) -> str:
    level = "h1" if first else "h2"
    text = f"<p>{escape(item.text)}</p>\n" if item.text else ""
    return f"<{level}>{escape(item.title)}</{level}>\n{text}{_table(item.table) if item.table else ''}"


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.columns) if any(table.columns) else ""
    head = f"<thead><tr>{head}</tr></thead>\n" if head else ""
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in table.rows)
    return f"<table>\n{head}<tbody>\n{rows}</tbody>\n</table>\n"


def _cell(text: str) -> str:
    kind = ' class="h"' if _HASH.fullmatch(text) else ' class="s"' if _width(text) <= _SHORT else ""
    return f"<td{kind}>{escape(text)}</td>"


def _width(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
