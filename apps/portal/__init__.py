"""The page frame, the dashboard, search and classic mode: what shows all the other apps."""
