"""The checkpoints of a training: written whole or not at all, and resumed from."""
