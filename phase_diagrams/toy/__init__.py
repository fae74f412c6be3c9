"""The toy model as the first system of sweeps: its entry, engine, starts and presets."""
