"""``python -m effective_theory``."""

import sys

from effective_theory.cli import main

if __name__ == "__main__":
    sys.exit(main())
