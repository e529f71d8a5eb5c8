"""STM32F405, F411 and F446, for the boards that have them."""
