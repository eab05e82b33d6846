"""The declared commands of the project's practice, the places they run at, and what each place forbids.

Everything is read from `docs_src/commands.toml`, of which the package carries a copy. This package does not
know the command line's parser: callers pass it in.
"""
