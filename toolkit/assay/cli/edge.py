"""Run a command line; turn every error into its message and its exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback

import click

from assay.cli import assay
from assay.cli.console import print_error
from assay.errors import AssayError, InputError, OutsideError, VerdictFailed

INTERRUPTED = 130
"""128 + SIGINT: Ctrl-C."""
BROKEN_PIPE = 141
"""128 + SIGPIPE: the reader of standard output went away."""
_PERMISSIONS = dict.fromkeys(
    (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR),
    "Check the path and its permissions, or name another one.",
)


def run(arguments: list[str]) -> int:
    """Run ``assay`` with ``arguments``; return the exit code, never raise."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away (a pager, `head`): nothing is left to say, and nobody to hear it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def _run(arguments: list[str]) -> int:
    try:
        with assay.make_context("assay", list(arguments)) as context:
            assay.invoke(context)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return InputError.exit_code
    except VerdictFailed as failed:
        return failed.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 -- the one place where a defect becomes exit 70
        if _wants_traceback(arguments):
            traceback.print_exception(error)
        cause = _as_ours(error)
        print_error(cause)
        return cause.exit_code
    return 0


def _wants_traceback(arguments: list[str]) -> bool:
    return "--debug" in arguments or os.environ.get("ASSAY_DEBUG", "").lower() in ("1", "true")


def _as_ours(error: Exception) -> AssayError:
    if isinstance(error, AssayError):
        return error
    if isinstance(error, click.ClickException):
        return _wrong_arguments(error)
    if isinstance(error, OSError):
        return _outside(error)
    summary = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    return AssayError(
        f"this is a defect of Assay, not of your input: {summary}.",
        remedy="Run it again as `assay --debug ...` for the traceback, and report it.",
    )


def _wrong_arguments(error: click.ClickException) -> InputError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = error.format_message()
    return InputError(
        message if message.endswith((".", "?", "?)")) else f"{message}.",
        remedy=f"See '{context.command_path if context else 'assay'} --help'.",
    )


def _outside(error: OSError) -> OutsideError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    name = f"{error.filename}: " if error.filename else ""
    return OutsideError(
        f"{name}{error.strerror or error}.",
        remedy="Free some space and run again." if full else _PERMISSIONS.get(error.errno or 0),
    )
