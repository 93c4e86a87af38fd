"""Run a command line; turn every error into its message and its exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback

import click

from assay.cli import assay
from assay.cli.console import print_error
from assay.errors import AssayError, OutsideError, VerdictFailed

_DEFECT = 70
_INTERRUPTED = 130


def run(arguments: list[str]) -> int:
    """Run ``assay`` with ``arguments``; return the exit code, never raise."""
    debug = "--debug" in arguments or bool(os.environ.get("ASSAY_DEBUG"))
    try:
        result = assay.main(args=arguments, prog_name="assay", standalone_mode=False)
    except VerdictFailed as failed:
        return failed.exit_code
    except AssayError as error:
        return _report(error, debug=debug)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("Interrupted.", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader went away (a pager, `head`): nothing is left to say, and nobody to hear it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _report(_outside(error), debug=debug)
    except Exception as error:  # noqa: BLE001 -- the one place where a defect becomes exit 70
        return _defect(error, debug=debug)
    return result if isinstance(result, int) else 0


def _report(error: AssayError, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    print_error(error)
    return error.exit_code


def _outside(error: OSError) -> AssayError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    name = f" ({error.filename})" if error.filename else ""
    return OutsideError(
        f"{error.strerror or error}{name}.",
        remedy="Free some space and run again." if full else None,
    )


def _defect(error: Exception, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    summary = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    print_error(
        AssayError(
            f"this is a defect of Assay, not of your input: {summary}.",
            remedy="Run again with --debug for the traceback, and report it.",
        )
    )
    return _DEFECT
