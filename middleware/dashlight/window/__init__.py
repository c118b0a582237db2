"""From rows to counts over the reference's bins, in panes that add up. Pure."""
