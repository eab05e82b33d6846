"""Figures for a reader."""
