"""A device that is not managed at all: it is pinged, and what it sends is received (the guide's alert-receive only)."""
