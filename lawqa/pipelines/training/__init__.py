"""A training run: prepare, train, write the adapter with its manifest; resume where it stopped."""
