"""Start: answer ``--version`` at once, hand everything else to the edge."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path

_PROCESSORS = Path("/proc/cpuinfo")
_ENOUGH = 64 * 2**20


def main() -> None:
    """Run ``assay`` with the process's arguments and exit."""
    if sys.argv[1:] == ["--version"]:
        # Answered before anything is imported: scripts ask it often.
        from assay import __version__

        print(f"assay {__version__}")
        sys.exit(0)
    same_kernels()
    spare_the_cache()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A name that is not text, or a terminal that is not UTF-8, is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    try:
        from assay.cli.edge import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def same_kernels() -> None:
    """Have OpenBLAS add in one order on every x86 processor, before NumPy is imported.

    It picks its kernels by the processor's model, and their sums differ in the last digit: a
    decision that was made on one machine would not come out byte for byte on another.
    """
    try:
        flags = _PROCESSORS.read_text(encoding="ascii", errors="replace").partition("flags")[2]
    except OSError:
        return
    if {"avx2", "fma"} <= set(flags.partition("\n")[0].split()):
        os.environ["OPENBLAS_CORETYPE"] = "Haswell"


def spare_the_cache(folder: Path = Path(__file__).parent) -> None:
    """Have Python write no bytecode where under 64 MiB are free on the disk of ``folder``.

    CPython puts cached bytecode in place without asking whether all of it was written
    (python/cpython#126606): after one start on a full disk every later one would fail.
    """
    try:
        disk = os.statvfs(folder)
    except (AttributeError, OSError):
        return
    if disk.f_bavail * disk.f_frsize < _ENOUGH:
        sys.dont_write_bytecode = True


if __name__ == "__main__":
    main()
