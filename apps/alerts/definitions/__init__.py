"""The pages and the API resource of alert definitions."""
