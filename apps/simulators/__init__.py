"""The loopback fleet: simulated devices for the demonstration and the tests; plain Python."""
