"""Progress on the screen, the log file, and experiment trackers."""
