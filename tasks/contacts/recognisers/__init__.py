"""One file a kind; all of them over text in which labels precede values."""
