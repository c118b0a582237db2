"""From the bytes of Exchanges to columns of features and outputs. Pure."""
