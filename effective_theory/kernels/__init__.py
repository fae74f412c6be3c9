"""Numba kernels: plain arrays in, plain arrays out; no classes, no I/O, no random numbers.

`training.advance` is the loop; the other files hold its parts, one subject each.
"""

#: Raised whenever a change alters the bits of a result, so that stored runs are told apart.
KERNEL_VERSION = 3
