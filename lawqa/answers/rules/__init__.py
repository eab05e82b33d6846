"""The rules by family: each module holds the wordings of one way to commit to an answer, or to none."""
