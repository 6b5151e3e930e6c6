"""The report of a trading session: a table on the terminal and one HTML file that needs nothing else."""
