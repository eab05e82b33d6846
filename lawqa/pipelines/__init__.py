"""The two rivers: evaluation and training, composed of the rooms below."""
