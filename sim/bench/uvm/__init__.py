"""The pyuvm environment of the whole card: agents at its ports, sequences, a scoreboard beside the golden chain, coverage."""
