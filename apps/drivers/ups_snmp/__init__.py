"""An uninterruptible power supply with a network card: UPS-MIB (RFC 1628), PowerNet-MIB, and what other makers have."""
