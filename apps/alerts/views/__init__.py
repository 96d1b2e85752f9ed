"""The pages of alerts and incidents."""
