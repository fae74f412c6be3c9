"""How many training samples make the line the only solution, and how that number grows."""
