"""English: read the same everywhere."""
