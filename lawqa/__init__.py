"""lawqa: train and honestly evaluate language models on Japanese-law four-choice questions."""

__version__ = "0.1.0"
