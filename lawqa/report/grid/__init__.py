"""The summary for a lab meeting: ways of asking by condition, base and adapter, the differences judged."""
