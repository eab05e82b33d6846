"""Attention, wherever lawqa trains or asks a model itself: which kernels run, and why they are safe.

`choice` picks the kernels of a device, `packed` runs them over records without padding, forward and
backward, and `hooked` puts them under transformers' own models.
"""
