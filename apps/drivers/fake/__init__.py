"""A device that exists nowhere: scripted values, delays and faults, for tests and simulated fleets."""
