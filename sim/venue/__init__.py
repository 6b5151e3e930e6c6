"""An exchange to trade against: matching engine, OUCH 5.0 over SoupBinTCP in, ITCH 5.0 over MoldUDP64 out, and a crowd in it."""
