"""Triton kernels, one file per operation; installed as `nle_fast.kernels`."""
