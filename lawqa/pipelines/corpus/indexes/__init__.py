"""Retrieval indexes: built, audited for questions they give away, opened, searched, measured."""
