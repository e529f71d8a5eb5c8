/* ESP32-C3-DevKitM-1 (RISC-V rv32imc at 160 MHz), UART0 on the USB bridge; the ECG on GPIO0. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "esp32c3"
#define EIN_BOARD_BAUD 460800u
#define EIN_BOARD_GAIN_LSB_PER_MV 200u
#define EIN_BOARD_ADC_PIN 0

#endif
