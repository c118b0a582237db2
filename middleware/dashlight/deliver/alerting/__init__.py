"""Alerts on their way to whoever must act: each is owed to every route until that route has answered for it.

`owed.py` holds what each route has not answered yet, `courier.py` the thread of one route; a route is one file beside them.
Imports: the rest of `deliver`, `metrics` and the ground floor.
To add: a route is one file that keeps to `Route` in `route.py`; it is made in `runtime/assembly/`.
"""
