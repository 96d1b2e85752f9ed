"""HTTPS without a proxy: certificates, our own authority, what is shown to whom, and the warning before the end."""
