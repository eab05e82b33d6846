"""Several runs that answer one question: cross-validation, sweeps, distillation, merging."""
