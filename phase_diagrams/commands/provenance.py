"""``provenance``: what made a picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from effective_theory.provenance import read_provenance


@dataclass(frozen=True)
class PictureProvenance:
    """Say what made a picture: the command, the version and the commit, and what it shows."""

    file: Annotated[Path, tyro.conf.Positional]
    """A PNG, PDF or SVG that this project has saved."""

    def run(self) -> None:
        """Print it."""
        print(read_provenance(self.file))
