"""Has devices send their events here: subscriptions are made, looked after, and removed again."""
