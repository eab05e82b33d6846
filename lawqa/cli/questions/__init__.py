"""Commands on question files: data, split, augment."""
