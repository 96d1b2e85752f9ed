"""What monitoring does: claim, poll, judge, write, roll up, forget, and tell what was measured."""
