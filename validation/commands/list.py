"""``list``: the ledger of reproduction."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ledger:
    """List the published statements that experiments test, and what came of each."""

    markdown: bool = False
    """As a table in Markdown, with what was measured."""

    def run(self) -> None:
        """Print the ledger."""
        from validation.experiments.ledger import ledger, ledger_table

        print(ledger_table() if self.markdown else ledger())
