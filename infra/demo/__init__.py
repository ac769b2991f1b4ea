"""A sample request that looks like scans, drawn from code."""
