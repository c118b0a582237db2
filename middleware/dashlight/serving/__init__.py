"""What Dashlight itself answers below DASHLIGHT_PATH, behind its token.

`app.py` puts the routes together, `access.py` says who may ask.
Imports: `workers` and below.
To add: what is served is one file with its routes, named in `app.py`.
"""
