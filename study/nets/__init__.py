"""What a net is made of."""
