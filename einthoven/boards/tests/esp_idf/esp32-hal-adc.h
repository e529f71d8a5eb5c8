/* Arduino-ESP32, ADC. */
#pragma once
#include <stdint.h>
uint16_t analogRead(uint8_t pin);
