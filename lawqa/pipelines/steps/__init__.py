"""The declared steps of a place, run in order and resumed."""
