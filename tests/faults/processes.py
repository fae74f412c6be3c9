"""Command lines in processes of their own that end at a named point."""

import os
import signal
import subprocess
import sys

from phase_diagrams.cli import main

#: Runs the command line, commits each run at once, and at the named point does to itself what the
#: test wants. Points: "after" the commit, or within it before "rows" or before the "commit" record.
_ENDED = """
import os, signal, sys
from phase_diagrams.runs import store
from phase_diagrams.cli import main
from phase_diagrams.runs.store import Store

point, number, action = sys.argv[1], int(sys.argv[2]), sys.argv[3]
# A shell that starts the tests in the background has SIGINT ignored in all its children.
signal.signal(signal.SIGINT, signal.default_int_handler)
store._SECONDS_BETWEEN_RUNS = 0.0
commit, reached = Store.commit, []

def act():
    if action == "wait":
        print("ready", flush=True)
        sys.stdin.readline()
    else:
        os.killpg(0, int(action))

class Watched:
    def __init__(self, connection):
        self.connection = connection
    def __getattr__(self, name):
        return getattr(self.connection, name)
    def executemany(self, *arguments):
        if len(reached) == number and point == "rows":
            act()
        return self.connection.executemany(*arguments)
    def execute(self, *arguments):
        if len(reached) == number and point == "commit" and arguments[0] == "COMMIT":
            act()
        return self.connection.execute(*arguments)

def commit_and_act(kept):
    if not kept._waiting:
        return commit(kept)
    reached.append(None)
    if not isinstance(kept._file._connection, Watched):
        kept._file._connection = Watched(kept._file._connection)
    commit(kept)
    if len(reached) == number and point == "after":
        act()

Store.commit = commit_and_act
sys.exit(main(sys.argv[4:]))
"""


def start(
    point: str, number: int, action: signal.Signals | str, *command: str
) -> subprocess.Popen[str]:
    """Start a command line that at the named point of its so-manyth commit ends itself or waits.

    ``action`` is a signal for its whole process group, or "wait": it prints "ready" and goes on
    after a line of input.
    """
    what = action if isinstance(action, str) else str(int(action))
    return subprocess.Popen(
        [sys.executable, "-c", _ENDED, point, str(number), what, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(point: str, number: int, kind: signal.Signals, *command: str) -> tuple[int, str]:
    """Run a command line until it ends itself; return its exit code and what it said on stderr."""
    process = start(point, number, kind, *command)
    try:
        said = process.communicate(timeout=300)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, said


def run(*arguments: str) -> int:
    """Exit code of a command line in this process."""
    try:
        return main(arguments)
    except SystemExit as exit:
        return int(exit.code or 0)
