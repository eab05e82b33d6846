"""Statutes: read, normalised, indexed and searched."""
