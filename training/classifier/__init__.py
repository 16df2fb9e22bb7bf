"""Trains the network that nle_fast carries, measures what its neurons see, and checks what the explanations say."""
