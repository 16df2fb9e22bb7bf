"""Explains in plain words, in real time, why a CNN classified a picture as it did."""
