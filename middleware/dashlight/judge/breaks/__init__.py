"""Breaks upstream: another unit, a stuck or swapped column, a default fill; found in raw values, named in words. Pure."""
