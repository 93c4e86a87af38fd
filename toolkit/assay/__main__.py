"""The edge: run the command, print each error once, exit with its code."""

from __future__ import annotations

import sys


def main() -> None:
    """Run ``assay`` with the process's arguments and exit."""
    if sys.argv[1:] == ["--version"]:
        # Answered before anything is imported: scripts ask it often.
        from assay import __version__

        print(f"assay {__version__}")
        sys.exit(0)
    from assay.cli.edge import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
