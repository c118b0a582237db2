"""Facets."""
