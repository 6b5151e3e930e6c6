"""Frames that nobody sane would send, and what the card must not make of them."""
