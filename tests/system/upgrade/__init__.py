"""Another version of the portal, with one change of the tables more; it is made when a test says so."""
