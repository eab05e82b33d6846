"""Training over several processes, and signals that interrupt it."""
