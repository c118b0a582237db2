"""Predictions on their way to the labels that come for them: kept in a store, or sealed into their ids.

Imports: everything below runtime.
To add: what the settings make of it stands in `runtime/assembly`.
"""
