"""The simulator beside full PyTorch training."""
