"""What is said of quadratic networks, their kernels, and kernels elsewhere."""
