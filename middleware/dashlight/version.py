"""The version of Dashlight, where everything below the front door can read it."""

__version__ = "0.1.0"
