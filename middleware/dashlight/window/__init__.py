"""The nouns of a reference (`columns.py`) and counts over its bins, in panes that add up. Pure.

Imports: the ground floor; inside, the files here < facets < reference.
To add: what is counted in every pane is one file here; a kind of column needs a facet as well.
"""
