/* ESP32 development board (two Xtensa LX6 at 240 MHz), UART0 on the USB bridge; the ECG on GPIO34,
 * input only. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "esp32dev"
#define EIN_BOARD_BAUD 460800u
#define EIN_BOARD_GAIN_LSB_PER_MV 200u
#define EIN_BOARD_ADC_PIN 34

#endif
