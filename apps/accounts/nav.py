"""What accounts registers with others: options, menu entries, job kinds."""
