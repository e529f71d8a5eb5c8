"""The STM32F103, for the Blue Pill."""
