"""What every feature stands on: jobs, audit, options, secrets, scoping, the write turn, events."""
