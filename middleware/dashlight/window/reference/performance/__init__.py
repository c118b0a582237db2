"""How good the model was on the rows of a reference whose labels are known: decided, measured, written, read. Pure.

Imports: `window`, `labels` and the ground floor; of `window.reference` what packs arrays and fits.
To add: a loss is a name of `LossName`, a case of `losses_of`, and a line of `LOSSES`.
"""
