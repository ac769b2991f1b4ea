"""The gate: whether bytes may leave. Who reads its list of checks, or seeks a value in a text, loads no reader."""
