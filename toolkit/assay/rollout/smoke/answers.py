"""What a scoring server answered, beside what was predicted offline for the same rows. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.tables.predictions_columns import CLASS_PREFIXES, USUAL_NAMES
from assay.tables.scored_rows import ScoredRow

Pair = tuple[Any, Any]
"""A served value, and the offline one."""


class NotComparableError(ValueError):
    """The answers are of another kind than what the predictions file holds."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How far answers are from what was predicted offline."""

    what: str
    differing: tuple[str, ...]
    """Ids of the rows that differ by more than the tolerance."""
    largest: float | None
    """Largest difference of two numbers; None where texts were compared."""


def predictions_in(body: bytes, rows: int | None) -> list[Any]:
    """Return one answer for each row (None: however many); raises ValueError that says why not."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the answer is not JSON") from None
    answers = found.get("predictions") if isinstance(found, dict) else None
    if not isinstance(answers, list):
        raise ValueError("the answer has no list of predictions")  # noqa: TRY004 -- of the body
    if rows is not None and len(answers) != rows:
        raise ValueError(f"{rows} rows were asked, and {len(answers)} answered")
    return answers


def finite(value: Any) -> bool:
    """Whether no number in an answer is infinite, or none at all."""
    if isinstance(value, list):
        return all(map(finite, value))
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    return not isinstance(value, float) or math.isfinite(value)


def differing(
    answers: Sequence[Any], expected: Sequence[Any], *, tolerance: float
) -> tuple[int, ...]:
    """Return the places, from 0 on, where an answer is not the one that is expected, or is none."""
    most = max(len(answers), len(expected))
    return tuple(
        place
        for place in range(most)
        if place >= min(len(answers), len(expected))
        or not _same(answers[place], expected[place], tolerance)
    )


def _same(served: Any, offline: Any, tolerance: float) -> bool:
    if isinstance(served, list) and isinstance(offline, list):
        return len(served) == len(offline) and all(
            _same(one, two, tolerance) for one, two in zip(served, offline, strict=True)
        )
    if isinstance(served, dict) and isinstance(offline, dict):
        return served.keys() == offline.keys() and all(
            _same(served[key], offline[key], tolerance) for key in served
        )
    if isinstance(served, list | dict) or isinstance(offline, list | dict):
        return False
    return _apart(served, offline) <= tolerance


def compare(answers: Sequence[Any], rows: Sequence[ScoredRow], *, tolerance: float) -> Difference:
    """Hold answers to the rows' offline predictions.

    Lists are probabilities by class (in the order of scikit-learn's ``classes_``), objects go by
    their names, single numbers are the probability of the positive class where the file has one
    and some answer is not whole, and else the prediction itself. Raises NotComparableError where
    nothing in the file answers to them.
    """
    whole = all(_is_whole(answer) for answer in answers)
    differing, sizes = [], []
    kinds: set[str] = set()
    for answer, row in zip(answers, rows, strict=True):
        kind, pairs = _pairs(answer, row, whole=whole)
        kinds.add(kind)
        apart = [_apart(served, offline) for served, offline in pairs]
        sizes += [size for size in apart if math.isfinite(size)]
        if max(apart) > tolerance:
            differing.append(row.id)
    return Difference(
        what=" and ".join(sorted(kinds)),
        differing=tuple(differing),
        largest=max(sizes, default=None),
    )


def _pairs(answer: Any, row: ScoredRow, *, whole: bool) -> tuple[str, list[Pair]]:
    if isinstance(answer, dict):
        return "named values", _named(answer, row)
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    if isinstance(answer, list):
        return "probabilities", _by_class(answer, row)
    if isinstance(answer, dict):
        raise NotComparableError("each answer is a nested object")
    if row.score is not None and not (whole and row.prediction is not None):
        return "probabilities", [(answer, row.score)]
    if row.prediction is None:
        raise NotComparableError("a class is answered, and the predictions file has none")
    return "predictions", [(answer, row.prediction)]


def _named(answer: dict[str, Any], row: ScoredRow) -> list[Pair]:
    known: dict[str, Any] = {}
    if row.prediction is not None:
        known |= dict.fromkeys((*USUAL_NAMES["prediction"], *row.names["prediction"]))
        known = dict.fromkeys(known, row.prediction)
    if row.score is not None:
        known |= dict.fromkeys((*USUAL_NAMES["score"], *row.names["score"]), row.score)
    for label, probability in row.scores.items():
        known |= {f"{prefix}{label}".lower(): probability for prefix in CLASS_PREFIXES}
    pairs = [
        (value, known[name.lower()]) for name, value in answer.items() if name.lower() in known
    ]
    if not pairs:
        raise NotComparableError(
            f"the answer's names ({', '.join(sorted(answer))[:120]}) are none of the predictions "
            "file's"
        )
    return pairs


def _by_class(answer: list[Any], row: ScoredRow) -> list[Pair]:
    if row.scores and len(row.scores) == len(answer):
        labels = sorted(row.scores, key=_class_order)
        return [(value, row.scores[label]) for value, label in zip(answer, labels, strict=True)]
    if row.score is not None and len(answer) == 2:
        return [(answer[1], row.score)]
    raise NotComparableError(
        f"each answer is a list of {len(answer)}, and the predictions file has "
        f"{len(row.scores) or ('one probability' if row.score is not None else 'no')} "
        f"{'probabilities' if row.score is None else ''}".rstrip()
    )


def _class_order(label: str) -> tuple[bool, float, str]:
    """Numbers by value, texts as texts: the order of numpy's unique."""
    number = _number(label)
    return (number is None, 0.0 if number is None else number, label)


def _is_whole(answer: Any) -> bool:
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    return not isinstance(answer, float) or answer.is_integer()


def _apart(served: Any, offline: Any) -> float:
    """Absolute up to 1, relative beyond; infinite where texts differ or one value is missing."""
    if isinstance(served, str):  # '007' is another class than '7'
        return 0.0 if _text(served) == _text(offline) else math.inf
    one, two = _number(served), _number(offline)
    if one is not None and two is not None:
        return abs(one - two) / max(1.0, abs(two))
    return 0.0 if _text(served) == _text(offline) else math.inf


def _number(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def _text(value: Any) -> str:
    """As the predictions file's values are written: true for True, one word for what is missing."""
    if isinstance(value, float) and math.isnan(value):
        return "None"
    text = str(value)
    return text.lower() if text in {"True", "False"} else text
