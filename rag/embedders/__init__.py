"""Embedders: the local one, and those of other packages."""
