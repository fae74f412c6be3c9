"""What is said of networks on images."""
