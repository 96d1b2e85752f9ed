"""What the portal stores: how much of what, how fast it grows, and when the disk is full."""
