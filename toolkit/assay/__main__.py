"""Start: answer ``--version`` at once, hand everything else to the edge."""

from __future__ import annotations

import sys
from io import TextIOWrapper


def main() -> None:
    """Run ``assay`` with the process's arguments and exit."""
    if sys.argv[1:] == ["--version"]:
        # Answered before anything is imported: scripts ask it often.
        from assay import __version__

        print(f"assay {__version__}")
        sys.exit(0)
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


if __name__ == "__main__":
    main()
