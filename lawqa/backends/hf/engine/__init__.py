"""Continuous batching: many prompts decoded at once over pages of keys and values."""
