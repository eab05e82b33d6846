"""Two or more runs on the same questions: do they differ, by how much, and what could have been seen."""
