"""One file for each family of inference protocols. Pure."""
