"""The files of models and adapters, read before anything is loaded; imports no torch."""
