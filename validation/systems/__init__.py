"""The networks as systems of sweeps; PyTorch is loaded to train only."""

from validation.systems.entries import register_networks

register_networks()
