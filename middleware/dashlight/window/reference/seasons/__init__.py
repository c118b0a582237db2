"""How the shares of a column follow the time of day and of the week: measured, fitted, written to the file. Pure.

Imports: `window`, how `window.reference` measures variation, and the ground floor.
"""
