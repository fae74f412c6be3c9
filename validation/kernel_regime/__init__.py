"""The kernel regime of quadratic networks on modular addition (Mohamadi et al. 2024)."""
