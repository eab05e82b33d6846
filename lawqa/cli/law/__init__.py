"""Commands on statutes and their index."""
