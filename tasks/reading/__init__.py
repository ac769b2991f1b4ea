"""Reading: bytes of a source file to page rasters to words."""
