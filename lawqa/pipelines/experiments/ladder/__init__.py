"""The base ladder: its rungs, how fast they are, the run of them all, and what they reached."""
