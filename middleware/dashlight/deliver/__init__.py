"""Sends spans, events and alerts away from a thread of its own, and counts what is lost."""
