"""What fits into a memory: token budget and recomputation, from a model's shape."""
