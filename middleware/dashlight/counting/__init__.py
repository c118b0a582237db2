"""What one process counts of the exchanges that it served, pane by pane; the panes of all processes of a machine add up."""
