"""``python -m phase_diagrams``."""

import sys

from phase_diagrams.cli import main

if __name__ == "__main__":
    sys.exit(main())
