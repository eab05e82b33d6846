"""What a completion says, ready to be read: folded, without thinking, other turns, markup and loops."""
