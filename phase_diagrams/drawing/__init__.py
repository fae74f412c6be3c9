"""What pictures are made of: colours of the phases, and cells on a plane of two axes."""
