"""Commands around training: records, plan, train, crossval, sweep, merge."""
