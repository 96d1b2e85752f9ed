"""A server through its management controller by IPMI, whatever its operating system is doing."""
