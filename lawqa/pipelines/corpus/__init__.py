"""Files that runs are made of: statutes, indexes, generated questions, splits and their leak audits."""
