"""What became of an endpoint's exchanges, by the version of the model that they asked.

`counts` holds what is counted, `counter` counts it. Imports `decode` and `window`.
"""
