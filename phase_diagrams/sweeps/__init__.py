"""What is asked of a sweep: its system, axes, starts, specification and identity."""
