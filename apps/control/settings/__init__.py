"""The settings of controllers: read, changed where the difference was seen before, read back. The network last."""
