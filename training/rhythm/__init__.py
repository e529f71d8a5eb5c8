"""How well the device tells rhythm: episodes and alarms against databases that know."""
