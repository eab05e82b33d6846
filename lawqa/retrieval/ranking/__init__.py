"""How articles are scored for a query: by words, by what is cited, by references followed."""
