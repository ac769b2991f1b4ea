"""The commands of `foi`, by what they work on. Rule: what a command needs is imported when it is called."""
