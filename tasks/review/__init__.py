"""Review: what a person is shown before a release, and what a person may change about the marks."""
