"""Full PyTorch training that judges the simulator."""
