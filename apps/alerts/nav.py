"""What alerts registers with others: options, menu entries, panels."""
