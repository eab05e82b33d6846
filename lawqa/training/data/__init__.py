"""Batches: padding, cutting by token budget, and the order of records."""
