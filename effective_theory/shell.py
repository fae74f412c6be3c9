"""What the project's command lines share: how they end."""

import signal
import sys
from collections.abc import Callable
from types import FrameType

from effective_theory.checks import InputError


def run_command(main: Callable[[], None]) -> int:
    """Run a command and return its exit code.

    0 when done; 2 with one sentence for bad input; 130 after Ctrl-C and 143 after SIGTERM, each
    with one line; other errors are ours and keep their traceback.
    """
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does: nothing is left to say.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("interrupted; what was stored stays, the same command goes on.", file=sys.stderr)
        return 130
    except _Terminated:
        print("terminated; what was stored stays, the same command goes on.", file=sys.stderr)
        return 143
    finally:
        signal.signal(signal.SIGTERM, previous)
    return 0


class _Terminated(BaseException):
    """SIGTERM, as an exception that lets files be closed on the way out."""


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise _Terminated
