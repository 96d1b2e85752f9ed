"""The ways in for alerts: one file per way, and the process that drains their sockets and has them stored."""
