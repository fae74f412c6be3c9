"""What is asked of a sweep: its axes, starts, specification and identity."""

# Registers the published starts, which specifications name.
import phase_diagrams.sweeps.published_starts  # noqa: F401
