"""Two diagrams, or a diagram and a published table, side by side."""
