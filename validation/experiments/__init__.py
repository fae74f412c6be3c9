"""What the source papers say of networks, as experiments with bounds stated before they are run."""
