"""Statutes: articles, their names, e-Gov's files, citations, numerals; nothing of questions or search."""
