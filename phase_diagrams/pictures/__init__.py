"""Pictures of diagrams and of single runs."""
