"""What groups registers with others: options, menu entries, job kinds."""
