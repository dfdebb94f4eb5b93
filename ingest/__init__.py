"""Listings and sources in, papers out."""

from ingest.pipeline import Progress, ingest

__all__ = ["Progress", "ingest"]
