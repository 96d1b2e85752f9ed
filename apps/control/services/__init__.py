"""The verbs of control: order, carry out, and say beforehand what an order touches."""
