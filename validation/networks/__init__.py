"""The networks that the source papers train on operations of two symbols and on images."""
