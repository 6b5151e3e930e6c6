"""A trading session on the simulated card: market data in, orders out, venues that answer, and accounts that must agree."""
