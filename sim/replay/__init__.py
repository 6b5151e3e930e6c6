"""`trapjaw replay`: recorded market data through an engine, and the top of book after every book message."""
