"""Two versions of a model side by side: what is shown of them at every look, and what one figure decides.

Add a figure as a file that gives `SequentialEvidence` and is named in `report`.
"""
