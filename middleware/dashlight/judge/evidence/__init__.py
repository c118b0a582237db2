"""What every judge decides with: the null, bets against it, accumulated evidence, hysteresis, the change point. Pure.

Imports: `judge.alerts` and below, `window`.
To add: an algorithm is one file under its name in the literature, with its source.
"""
