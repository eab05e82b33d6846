"""What stored runs say: comparison, rescoring, the report."""
