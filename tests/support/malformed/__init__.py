"""Malformed ``assay.yaml`` files, by what is wrong with them, and the message of each."""

from __future__ import annotations

from support.malformed.keys import KEYS
from support.malformed.small import GATE, SMALL, gate
from support.malformed.syntax import YAML
from support.malformed.values import VALUES

NO_MARGIN = ["-1", ".nan", ".inf", "-.inf", "'0.01'", "abc", "1%", "true", "010", "1:30", "[1]"]
CASES = {**YAML, **KEYS, **VALUES}

__all__ = ["CASES", "GATE", "KEYS", "NO_MARGIN", "SMALL", "VALUES", "YAML", "gate"]
