"""The directory that `dashlight run` puts first on PYTHONPATH, for the sake of its sitecustomize alone."""
