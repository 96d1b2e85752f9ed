"""What components registers with others: options, menu entries, job kinds."""
