"""Collector."""
