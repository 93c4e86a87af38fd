"""HTML as GitHub's sanitizer would leave it: an allowlist of elements and attributes."""

from __future__ import annotations

import html
from html.parser import HTMLParser

_PLAIN = """
a b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img input ins kbd li ol
p pre q s samp span strike strong sub summary sup table tbody td tfoot th thead tr tt ul var
"""
ALLOWED: dict[str, frozenset[str]] = dict.fromkeys(_PLAIN.split(), frozenset[str]()) | {
    "a": frozenset({"href", "title"}),
    "code": frozenset({"class"}),
    "details": frozenset({"open"}),
    "img": frozenset({"alt", "title"}),
    "input": frozenset({"type", "checked", "disabled"}),
    "li": frozenset({"class"}),
    "ol": frozenset({"start"}),
    "td": frozenset({"align", "style"}),
    "th": frozenset({"align", "style"}),
}
_VOID = frozenset({"br", "hr", "img", "input"})
_SILENT = frozenset({"script", "style", "title", "textarea", "iframe", "noscript", "template"})
_ALIGNED = frozenset({"text-align:left", "text-align:right", "text-align:center"})
_CLASSES = ("language-", "task-list-item")
_SCHEMES = ("https://", "http://", "mailto:", "#")


class _Sanitizer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        if self._silent or tag not in ALLOWED:
            return
        kept = "".join(
            f' {name}="{html.escape(value or "", quote=True)}"'
            for name, value in attrs
            if _allowed(tag, name, value or "")
        )
        self.parts.append(f"<{tag}{kept}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif not self._silent and tag in self._open:
            while (last := self._open.pop()) != tag:
                self.parts.append(f"</{last}>")
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(html.escape(data, quote=False))

    def finish(self) -> str:
        self.close()
        self.parts += [f"</{tag}>" for tag in reversed(self._open)]
        return "".join(self.parts)


def _allowed(tag: str, name: str, value: str) -> bool:
    if name not in ALLOWED[tag]:
        return False
    match name:
        case "href":
            return value.strip().lower().startswith(_SCHEMES)
        case "style":
            return value.replace(" ", "") in _ALIGNED
        case "class":
            return value.startswith(_CLASSES)
        case _:
            return True


def sanitize(markup: str) -> str:
    """Return ``markup`` with only what GitHub keeps; every element opened is closed.

    Images lose their source: a preview fetches nothing.
    """
    parser = _Sanitizer()
    parser.feed(markup)
    return parser.finish()
