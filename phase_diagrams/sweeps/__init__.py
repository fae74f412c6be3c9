"""What is asked of a sweep: its axes, starts, specification and identity."""
