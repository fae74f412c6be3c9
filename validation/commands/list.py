"""``list``: the ledger of reproduction."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

Verdict = Literal["met", "refuted", "not reachable here"]
_NAMES = "{met,refuted,'not reachable here'}"


@dataclass(frozen=True)
class Ledger:
    """List the published statements that experiments test, and what came of each."""

    markdown: bool = False
    """As a table in Markdown, with what was measured."""
    verdict: Annotated[Verdict | None, tyro.conf.arg(metavar=_NAMES)] = None
    """Only what came out so."""

    def run(self) -> None:
        """Print the ledger."""
        from validation.experiments.ledger import ledger, ledger_table

        written = ledger_table if self.markdown else ledger
        print(written(verdict=self.verdict))
