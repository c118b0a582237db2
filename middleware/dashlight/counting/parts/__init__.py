"""Parts of the rows as one process counts them: some of them side by side, to be searched for what those that hurt share.

Imports: `window`, and nothing of `counting` itself.
To add: what is counted of another way to part rows is one file, whose pane goes into `rows.RowPane` or `model.ModelPane`.
"""
