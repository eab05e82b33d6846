"""Elementwise kernels and products of a few rows, in plain torch and in Triton."""
