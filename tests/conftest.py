"""What all tests share: Hypothesis draws the same examples every time, and Ctrl-C is heard."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

from assay.__main__ import same_kernels

# What is computed in this process must equal what a command computes, to the last digit.
same_kernels()

settings.register_profile("assay", deadline=None, derandomize=True)
settings.load_profile("assay")

# A job in a shell's background starts with SIGINT ignored, and hands that on to the programs
# that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_SLOW = ("act", "browser", "heavy", "honesty", "kubernetes")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the slow suites the time they need on a busy machine; the others keep the default."""
    for item in items:
        if any(item.get_closest_marker(name) for name in _SLOW):
            item.add_marker(pytest.mark.timeout(1200))
