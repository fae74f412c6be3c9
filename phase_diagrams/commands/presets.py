"""``presets``: list the published diagrams."""

from dataclasses import dataclass

from phase_diagrams.presets import preset_names


@dataclass(frozen=True)
class Presets:
    """List the published diagrams."""

    def run(self) -> None:
        """Print one line for each."""
        for name, text in preset_names().items():
            print(f"{name:14} {text}")
