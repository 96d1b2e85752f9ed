"""Which alerts and incidents lists show, and how they are walked; pages, exports and the API read through here."""
