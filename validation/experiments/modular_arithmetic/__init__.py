"""What is said of transformers, MLPs and LSTMs on modular arithmetic."""
