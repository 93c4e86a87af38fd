from __future__ import annotations

import json
import os
import time
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import OutsideError
from assay.training.process import Ended, Redactor, run_streamed

PATH = {"PATH": os.environ["PATH"]}


def bash(command: str, cwd: Path, timeout: float = 30) -> tuple[Ended, list[str]]:
    lines: list[str] = []
    ended = run_streamed(
        ["bash", "-c", command], cwd=cwd, variables=PATH, timeout=timeout, write=lines.append
    )
    return ended, lines


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in {"Z", "X"}


def test_both_streams_are_lines_and_the_code_is_the_commands(tmp_path: Path) -> None:
    ended, lines = bash("echo one; echo two >&2; printf three; exit 3", tmp_path)
    assert lines == ["one", "two", "three"]
    assert ended.code == 3
    assert ended.tail == ("one", "two", "three")
    assert ended.why("training", 9) == "training ended with exit code 3: three"


def test_a_timeout_stops_the_command_and_its_children(tmp_path: Path) -> None:
    started = time.monotonic()
    ended, lines = bash("sleep 60 & echo $!; wait", tmp_path, timeout=0.4)
    assert time.monotonic() - started < 5
    assert ended.code is None
    assert "stopped after" in ended.why("training", 0.4)
    for _ in range(50):
        if not is_alive(int(lines[0])):
            break
        time.sleep(0.05)
    assert not is_alive(int(lines[0]))


def test_a_child_left_behind_neither_delays_nor_outlives_the_command(tmp_path: Path) -> None:
    started = time.monotonic()
    ended, lines = bash("sleep 60 & echo $!", tmp_path)
    assert time.monotonic() - started < 5
    assert ended.code == 0
    time.sleep(0.1)
    assert not is_alive(int(lines[0]))


def test_a_command_that_closes_its_output_is_still_bounded(tmp_path: Path) -> None:
    started = time.monotonic()
    ended, _ = bash("exec >&- 2>&-; sleep 60", tmp_path, timeout=0.3)
    assert time.monotonic() - started < 5
    assert ended.code is None


def test_a_line_of_a_megabyte_is_cut(tmp_path: Path) -> None:
    ended, lines = bash("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end", tmp_path)
    assert lines[-1] == "end"
    assert max(map(len, lines)) < 20_000 * 5
    assert all(len(line) <= 1000 for line in ended.tail)


def test_bytes_that_are_no_text_are_shown_as_such(tmp_path: Path) -> None:
    _, lines = bash("printf 'a\\xff\\r\\nb\\n'", tmp_path)
    assert lines == ["a�", "b"]


def test_a_killed_command_names_its_signal(tmp_path: Path) -> None:
    ended, _ = bash("kill -SEGV $$", tmp_path)
    assert ended.why("training", 9) == "training was killed by SIGSEGV"


def test_a_program_that_is_not_there_is_an_outside_error(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="could not be started"):
        run_streamed(["nowhere"], cwd=tmp_path, variables=PATH, timeout=1, write=print)


def test_secrets_leave_text_line_by_line_and_longest_first() -> None:
    redact = Redactor(("hunter22", "hunter22-and-more", "-----BEGIN\nabcdefgh\n-----END", "x"))
    text = "hunter22-and-more hunter22 abcdefgh x"
    assert redact(text) == "*** *** *** x"
    assert "hunter" not in repr(redact)


@given(st.text(st.characters(codec="utf-8"), min_size=6), st.text(st.characters(codec="utf-8")))
def test_no_encoded_secret_survives(secret: str, before: str) -> None:
    secret = f"k{secret}k"
    redact = Redactor((secret,))
    basic = b64encode(f"{before}:{secret}:after".encode()).decode()
    forms = [quote(secret), quote_plus(secret), json.dumps(secret), basic]
    assert all("***" in redact(form) for form in forms)
    assert "***" in redact(urlsafe_b64encode(secret.encode()).decode())


@given(st.lists(st.text(min_size=4), max_size=4), st.text(), st.text())
def test_no_secret_survives(secrets: list[str], before: str, after: str) -> None:
    redact = Redactor(tuple(secrets))
    for secret in secrets:
        stripped = secret.strip()
        if len(stripped) >= 4 and "*" not in stripped:
            assert stripped not in redact(before + secret + after)
