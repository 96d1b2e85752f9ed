"""Components, their management interfaces, credentials, contact and status."""
