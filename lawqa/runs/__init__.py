"""Runs on disk: directory, manifest, stored results; found, compared by their settings, locked, removed."""
