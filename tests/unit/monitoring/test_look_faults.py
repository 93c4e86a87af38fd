from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from assay.errors import InputError, IntegrityError, OutsideError
from assay.evidence import Look, Outcome
from assay.monitoring.memory import lock
from assay.monitoring.sources import find_files
from support.production import Production


def _made(folder: Path, days: int = 5) -> Production:
    made = Production(folder)
    for number in range(days):
        made.day(number, 120)
    made.label(made.rows)
    return made


def _keys(look: Look) -> set[str]:
    return {problem.key for problem in look.problems}


def test_files_that_cannot_be_read_are_named_and_skipped(tmp_path: Path) -> None:
    made = _made(tmp_path)
    whole = (tmp_path / "logs/000.parquet").read_bytes()
    (tmp_path / "logs/half.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "logs/empty.parquet").write_bytes(b"")
    (tmp_path / "logs/other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "logs/.new.parquet").write_bytes(b"being written")
    look = made.look(5.0)
    assert len(look.unreadable) == 3
    assert "it has no column 'request_id', 'time', 'prediction'" in " ".join(look.unreadable)
    assert sum(window.predictions for window in look.windows) == 600
    assert _keys(look) == {"schema:logs files"}
    assert look.state is Outcome.WARN


def test_damage_behind_an_intact_footer_is_found(tmp_path: Path) -> None:
    made = _made(tmp_path)
    path = tmp_path / "logs/002.parquet"
    content = bytearray(path.read_bytes())
    content[200:1_600] = b"\xff" * 1_400
    path.write_bytes(content)
    look = made.look(5.0)
    assert [text.split(": ")[0] for text in look.unreadable] == [path.as_posix()]
    assert sum(window.predictions for window in look.windows) == 480


def test_damage_that_is_found_late_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ids and times can be read, answers cannot: no label of that file may count as met."""
    looks = []
    for kind in ("damaged", "absent"):
        made = _made(tmp_path / kind)
        path = made.folder / "logs/002.parquet"
        if kind == "absent":
            path.unlink()
        else:
            content = bytearray(path.read_bytes())
            footer = int.from_bytes(content[-8:-4], "little")
            content[-footer - 1_508 : -footer - 8] = b"\xff" * 1_500
            path.write_bytes(content)
        looks.append(made.look(5.0))
    damaged, absent = looks
    assert len(damaged.unreadable) == 1
    assert damaged.labels == absent.labels
    assert damaged.windows == absent.windows


def test_a_file_that_was_half_written_counts_once_it_is_whole(tmp_path: Path) -> None:
    made = _made(tmp_path)
    path = tmp_path / "logs/004.parquet"
    content = path.read_bytes()
    path.write_bytes(content[:500])
    assert sum(window.predictions for window in made.look(5.0).windows) == 480
    path.write_bytes(content)
    look = made.look(5.5)
    assert sum(window.predictions for window in look.windows) == 600
    assert look.unreadable == ()


def test_a_silent_log_blocks_and_a_silent_label_feed_warns(tmp_path: Path) -> None:
    made = _made(tmp_path)
    made.look(5.0)
    look = made.look(9.0)
    assert {"heartbeat:log", "heartbeat:labels", "heartbeat:monitor"} <= _keys(look)
    assert look.state is Outcome.FAIL
    assert "one is expected each 2 h" in look.sentence
    assert look.windows[-2].predictions == 0


def test_a_first_look_at_an_empty_folder_is_a_silent_log(tmp_path: Path) -> None:
    made = Production(tmp_path)
    made.write_labels()
    look = made.look(1.0)
    assert look.windows == ()
    assert _keys(look) == {"heartbeat:log"}


def test_a_day_without_traffic_after_two_like_it_is_a_finding(tmp_path: Path) -> None:
    made = Production(tmp_path)
    for number in range(22):
        if number != 21:
            made.day(number, 60)
    made.label(made.rows)
    look = made.look(22.01)
    assert "volume:predictions" in _keys(look)
    assert "0 predictions in the 1 d from 2026-09-22" in " ".join(
        each.sentence for each in look.problems
    )


def test_rows_from_the_future_wait_for_their_time(tmp_path: Path) -> None:
    made = _made(tmp_path, days=2)
    made.rows[-1]["time"] += timedelta(days=1)
    made.write_log("001.parquet", made.rows[120:])
    skewed = made.look(2.0, replayed=False)
    assert {"clock:logs", "clock:labels"} <= _keys(skewed)
    assert sum(window.predictions for window in skewed.windows) == 239
    later = made.look(3.5, replayed=False)
    assert "clock:logs" not in _keys(later)
    assert sum(window.predictions for window in later.windows) == 240


def test_a_second_monitor_is_kept_out(tmp_path: Path) -> None:
    made = _made(tmp_path, days=1)
    held = lock(tmp_path / "state", "2026-09-01T00:00:00Z")
    try:
        with pytest.raises(InputError, match="another monitor"):
            made.look(1.0)
    finally:
        held.release()
    assert made.look(1.0).windows


def test_of_two_monitors_at_once_one_looks_and_nothing_is_counted_twice(tmp_path: Path) -> None:
    """Two real processes start together until they meet; the one that is refused says so."""
    made = _made(tmp_path)
    expected = _made(tmp_path / "calm").look(5.0)
    program = (
        "import sys; from pathlib import Path; from support.production import Production; "
        "from assay.errors import InputError\n"
        "try: Production(Path(sys.argv[1])).look(5.0)\n"
        "except InputError as error: sys.exit(str(error))"
    )
    said: list[str] = []
    for _ in range(10):
        both = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(tmp_path)],
                env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]},
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        said += [text for one in both if (text := one.communicate(timeout=120)[1])]
        if said:
            break
    assert len(said) == 1, "they met, and one of them looked"
    assert "another monitor is looking with this state right now" in said[0]
    look = made.look(5.0)
    assert (look.windows, look.rules) == (expected.windows, expected.rules)


def test_labels_that_come_before_their_predictions_are_logged_count_with_them(
    tmp_path: Path,
) -> None:
    made = _made(tmp_path)
    log = tmp_path / "logs/004.parquet"
    kept = log.read_bytes()
    log.unlink()
    early = made.look(6.0)
    assert early.labels is not None
    assert early.labels.orphans == 120
    assert "labels:orphans" not in _keys(early), "most have their prediction"
    log.write_bytes(kept)
    late = made.look(8.0)
    assert late.labels is not None
    assert late.labels.orphans == 0
    (rule,) = late.rules
    assert rule.n == 600


def test_ids_that_never_match_are_said(tmp_path: Path) -> None:
    made = _made(tmp_path, days=2)
    made.labels = [(f"other-{id_}", label, known) for id_, label, known in made.labels]
    made.write_labels()
    assert "labels:orphans" in _keys(made.look(3.0))


def test_an_altered_state_is_refused(tmp_path: Path) -> None:
    made = _made(tmp_path, days=2)
    made.look(2.0)
    (tmp_path / "state/state.json").write_text("{}")
    with pytest.raises(IntegrityError):
        made.look(3.0)


def test_a_state_of_another_model_is_refused(tmp_path: Path) -> None:
    made = _made(tmp_path, days=2)
    made.look(2.0)
    path = tmp_path / "state/state.json"
    path.write_text(path.read_text().replace('"model": "m"', '"model": "other"'))
    with pytest.raises(InputError, match="other"):
        made.look(3.0)


def test_an_altered_ledger_is_no_users_mistake(tmp_path: Path) -> None:
    made = _made(tmp_path, days=2)
    made.look(2.0)
    (tmp_path / "state/labels.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(IntegrityError, match="label ledger"):
        made.look(3.0)


def test_an_address_is_read_by_fsspec_and_copied_once(tmp_path: Path) -> None:
    made = _made(tmp_path / "remote", days=2)
    source = (tmp_path / "remote/logs").as_uri()
    cache = tmp_path / "cache"
    found = find_files(source, root=tmp_path, cache=cache, setting="logs.source")
    assert len(found) == 2
    stamps = {path: path.stat().st_mtime_ns for path in found}
    made.day(2, 50)
    (tmp_path / "remote/logs/000.parquet").unlink()
    again = find_files(source, root=tmp_path, cache=cache, setting="logs.source")
    assert len(again) == 2
    assert sum(path in stamps and path.stat().st_mtime_ns == stamps[path] for path in again) == 1


def test_an_address_of_one_file_is_that_file(tmp_path: Path) -> None:
    made = _made(tmp_path / "_remote", days=1)
    source = (tmp_path / "_remote/labels.csv").as_uri()
    [found] = find_files(source, root=tmp_path, cache=tmp_path / "cache", setting="labels.source")
    assert found.read_bytes() == (made.folder / "labels.csv").read_bytes()


def test_a_bucket_that_is_down_is_something_outside(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="Nothing is lost"):
        find_files(
            "http://127.0.0.1:9/logs/a.parquet",
            root=tmp_path,
            cache=tmp_path / "cache",
            setting="logs.source",
        )


@pytest.mark.parametrize("source", ["absent", "absent/file.csv"])
def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(InputError, match="no such folder"):
        find_files(source, root=tmp_path, cache=tmp_path, setting="logs.source")


def test_kill_nine_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    made = _made(tmp_path)
    expected = _made(tmp_path / "calm").look(5.0)
    program = (
        "import os, sys, threading, time; from pathlib import Path; "
        "from support.production import Production; "
        "threading.Timer(float(sys.argv[2]), lambda: os.kill(os.getpid(), 9)).start(); "
        "Production(Path(sys.argv[1])).look(5.0); os._exit(0)"
    )
    path = os.pathsep.join(sys.path)
    for seconds in (0.05, 0.15, 0.3):
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path), str(seconds)],
            check=False,
            env={"PYTHONPATH": path, "PATH": os.environ["PATH"]},
            capture_output=True,
        )
    look = made.look(5.0)
    assert look.windows == expected.windows
    assert look.rules == expected.rules
