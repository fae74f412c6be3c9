"""Phase diagrams of the toy model."""
