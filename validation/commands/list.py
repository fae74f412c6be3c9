"""``list``: the ledger of reproduction."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ledger:
    """List the published statements that experiments test, and what came of each."""

    def run(self) -> None:
        """Print the ledger."""
        from validation.experiments.ledger import ledger

        print(ledger())
