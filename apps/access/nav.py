"""What access registers with others: options, menu entries, job kinds."""
