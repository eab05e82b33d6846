"""Adapters: their files and settings checked, attached to a model, and their effect measured."""
