"""The mark by which CML and Assay find the comment that they update.

CML ends its comments with an invisible image whose title names the comment; writing the same
one lets either publisher take over the other's comment.
"""

from __future__ import annotations

import re

_IMAGE = "https://cml.dev/watermark.png"
_ESCAPED = re.compile(r"[_*\[<]")


def watermark(title: str, *, commit: str) -> str:
    """Return the mark of the comment ``title``, made for ``commit`` (hex)."""
    return f'![]({_IMAGE}#{commit} "{_shown(title)}")'


def with_watermark(markdown: str, title: str, *, commit: str) -> str:
    """Return the comment's body: the report, and its mark at the end, where CML puts it."""
    return f"{markdown.rstrip()}\n\n{watermark(title, commit=commit)}"


def has_watermark(body: str, title: str) -> bool:
    """Say whether ``body`` ends in the mark of ``title``, whatever the commit.

    The end matters: what a comment quotes further up says nothing of what it is.
    """
    mark = rf'!\[\]\({re.escape(_IMAGE)}#[0-9a-fA-F]+ "{re.escape(_shown(title))}"\)\s*'
    return re.search(rf"(?:^|\n){mark}\Z", body) is not None


def cml_would_find(body: str, title: str) -> bool:
    """Say whether CML would take ``body`` for the comment: it looks anywhere in it."""
    mark = rf'!\[\]\({re.escape(_IMAGE)}#[0-9a-fA-F]+ "{re.escape(_shown(title))}"\)'
    return re.search(mark, body) is not None


def _shown(title: str) -> str:
    """Return the image's title, with the characters escaped that CML escapes."""
    return _ESCAPED.sub(r"\\\g<0>", f"CML watermark {title}".strip())
