"""The ASGI app that DASHLIGHT_APP names, watched: `DASHLIGHT_APP=package.module:app uvicorn dashlight.wrap:app`."""

import os

from dashlight.zero_code.named_app import VARIABLE, named_app
from dashlight.zero_code.watched import watched

app = watched(named_app(os.environ.get(VARIABLE, "")))
"""What a server is given in the place of the app."""
