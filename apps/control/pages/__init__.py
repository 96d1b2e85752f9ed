"""The pages of operations: the dialog that says what an order touches, and the buttons that open it."""
