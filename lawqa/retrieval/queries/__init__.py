"""Short queries that people type: their words, the statutes they name, everyday words for statutory terms."""
