"""Versions of a model side by side: who is compared with whom, and since when.

`side_by_side` holds all models of a machine, `group` the versions of one, `measured` what labels say of one. What is known of
two versions, and what that decides, stands in `judge.versions`.
"""
