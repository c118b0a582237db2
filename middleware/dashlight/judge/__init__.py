"""From counts to scores, evidence and the states of alerts. Pure."""
