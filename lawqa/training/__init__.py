"""QLoRA training on records whose loss falls on the answer alone."""
