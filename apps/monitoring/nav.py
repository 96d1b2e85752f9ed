"""What monitoring registers with others: options, menu entries, panels."""
