"""What is measured of networks while they learn, as functions on plain arrays."""
