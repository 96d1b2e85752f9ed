"""A server with iLO (Integrated Lights-Out) 4 or later: Redfish, and what its maker says besides."""
