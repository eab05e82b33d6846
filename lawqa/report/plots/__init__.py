"""Plots of runs and trainings: how they are drawn, and as SVG, PNG or a matplotlib figure."""
