"""A log of many small files, as a logger that closes one every few seconds leaves it."""

from __future__ import annotations

from pathlib import Path

from assay.evidence import Look
from assay.tables.parts import FEWEST
from support.data_files import write_parquet
from support.production import Production

_DAYS = 5


def _made(folder: Path, *, parts: int) -> Production:
    made = Production(folder)
    for day in range(_DAYS):
        made.day(day, 120)
    made.label(made.rows)
    for path in (folder / "logs").iterdir():
        path.unlink()
    size = len(made.rows) // parts
    for part in range(parts):
        made.write_log(f"{part:04}.parquet", made.rows[part * size : (part + 1) * size])
    return made


def _counted(look: Look) -> object:
    return look.windows, look.drift, look.labels


def test_a_look_counts_what_it_counts_of_one_file(tmp_path: Path) -> None:
    many = _made(tmp_path / "many", parts=6 * FEWEST - 46).look(5.0)
    one = _made(tmp_path / "one", parts=1).look(5.0)
    assert many.unreadable == ()
    assert _counted(many) == _counted(one)


def test_the_next_look_goes_on_from_there(tmp_path: Path) -> None:
    looks = []
    for parts in (1, 50):
        made = _made(tmp_path / str(parts), parts=parts)
        made.look(3.0)
        looks.append(made.look(5.0))
    assert _counted(looks[0]) == _counted(looks[1])


def test_files_that_cannot_be_read_are_named_as_they_are_called(tmp_path: Path) -> None:
    made = _made(tmp_path, parts=50)
    logs = tmp_path / "logs"
    cut = logs / "0007.parquet"
    cut.write_bytes(cut.read_bytes()[:200])
    inside = logs / "0009.parquet"
    content = bytearray(inside.read_bytes())
    content[60:160] = b"\xff" * 100
    inside.write_bytes(content)
    others = [write_parquet(logs / f"x{n:02}.parquet", {"a": [n]}) for n in range(FEWEST)]
    look = made.look(5.0)
    named = [text.split(": ")[0] for text in look.unreadable]
    assert sorted(named) == sorted(path.as_posix() for path in (cut, inside, *others))
    assert sum(window.predictions for window in look.windows) == _DAYS * 120 - 2 * 12
