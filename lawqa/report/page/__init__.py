"""The report as one HTML page: what it shows, its plots, what its scripts are given."""
