/* ESP32-C3-DevKitM-1 (RISC-V rv32imc at 160 MHz), UART0 on the USB bridge; the ECG on GPIO0.

   Its ADC's widest range ends at 2.8 V, not at the supply: 2000 counts are 1370 mV, by the point
   that the factory calibrates (ESP-IDF's esp_efuse_rtc_calib.c). Behind an amplification of 161
   that makes 235 LSB/mV, with 0 mV, at half the supply, some 360 counts above the middle, and +7 mV
   below the upper rail. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "esp32c3"
#define EIN_BOARD_BAUD 460800u
#define EIN_BOARD_GAIN_LSB_PER_MV 235u
#define EIN_BOARD_ADC_PIN 0

#endif
