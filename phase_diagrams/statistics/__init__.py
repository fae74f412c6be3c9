"""What several seeds say together, computed on arrays."""
