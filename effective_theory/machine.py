"""The machine that numbers come from, in words."""

import contextlib
import os
import platform
from pathlib import Path


def describe_machine() -> str:
    """Return processor, number of cores and system, such as "AMD EPYC, 2 cores, Linux"."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}"


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
