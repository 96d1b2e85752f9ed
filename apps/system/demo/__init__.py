"""The demonstration (`make demo`): a portal of its own whose devices are simulated.

It is an app that only ``esm.settings.demo`` installs: a real portal knows nothing of it.
"""
