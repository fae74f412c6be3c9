"""What a diagram says of a setting, and where to go from there."""
