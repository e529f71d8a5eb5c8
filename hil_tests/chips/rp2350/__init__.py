"""The RP2350, for the Pico 2: Cortex-M33 and Hazard3."""
