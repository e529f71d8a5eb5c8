"""Stand-ins for what is not on this machine: its USB, and chips that wait for firmware."""
