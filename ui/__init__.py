"""Thin doors to the engine: the command line and the page."""
