"""Evaluation and training from end to end, composed of the packages below."""
