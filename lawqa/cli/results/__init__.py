"""Commands on finished runs: compare, report, rescore, runs, log."""
