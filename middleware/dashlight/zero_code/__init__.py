"""Zero code: what `dashlight run` puts into the servers of the command that it starts."""
