"""Four-choice questions made of provisions: what may be quoted, what may be altered, three ways to ask."""
