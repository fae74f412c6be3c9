"""``presets``: list the published diagrams."""

from dataclasses import dataclass

from phase_diagrams.sweeps.presets import preset_names


@dataclass(frozen=True)
class Presets:
    """List the published diagrams."""

    def run(self) -> None:
        """Print one line for each."""
        names = preset_names()
        longest = max(len(name) for name in names)
        for name, text in names.items():
            print(f"{name:{longest}}  {text}")
