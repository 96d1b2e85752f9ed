"""The console process and the way to it: one loop that holds the lines, and the relay from browsers over a Unix socket.

``sessions`` is one console with those who look at it, ``server`` the process, ``frames`` what is said on the socket,
``relay`` the side of the web process, ``transcripts`` the files.
"""
