"""Pictures of diagrams, and the door to them."""
