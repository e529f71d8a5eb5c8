/* Adafruit Feather STM32F405 Express as a device: STM32F405RG at 168 MHz from its 12 MHz crystal,
   USART3 on TX (PB10) and RX (PB11) to a 3.3 V USB serial adapter, a cell at its own connector.
   Pins by the board's silk screen: D5 is PC7 and so on. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "feather_f405"
#define EIN_BOARD_CRYSTAL_HZ 12000000u
#define EIN_BOARD_CRYSTAL_BYPASS 0
#define EIN_BOARD_CORE_HZ 168000000u
#define EIN_BOARD_APB1_DIVIDER 4u /* 42 MHz */
#define EIN_BOARD_APB2_DIVIDER 2u /* 84 MHz */
#define EIN_BOARD_FLASH_WAIT_STATES 5u
#define EIN_BOARD_PWR_VOS (1u << 14)
#define EIN_BOARD_USART 3
#define EIN_BOARD_BAUD 115200u
#define EIN_BOARD_GAIN_LSB_PER_MV 200u
#define EIN_BOARD_RNG 1
#define EIN_BOARD_SECOND_SLOT 1

/* Tried in this order; an image has one part of those on SPI (firmware/platformio.ini). */
#ifndef EIN_BOARD_SPI_PART
#define EIN_BOARD_SPI_PART ein_ads1292r
#endif
#define EIN_BOARD_FRONT_ENDS &EIN_BOARD_SPI_PART, &ein_ad8232
#define EIN_BOARD_ADC_CHANNEL 4u             /* A0: PA4 */
#define EIN_BOARD_PIN_CS PC(2u)              /* D12 */
#define EIN_BOARD_PIN_READY PB(8u)           /* D9 */
#define EIN_BOARD_PIN_FRONT_END_RESET PC(3u) /* D11 */
#define EIN_BOARD_PIN_LEAD_P PB(8u)          /* D9: an AD8232 has no data-ready line */
#define EIN_BOARD_PIN_LEAD_N PB(9u)          /* D10 */

#define EIN_BOARD_PIN_BUTTON PC(7u)  /* D5 */
#define EIN_BOARD_PIN_LED PC(1u)     /* D13, the red one */
#define EIN_BOARD_PIN_PIEZO PC(6u)   /* D6: TIM3, channel 1 */
#define EIN_BOARD_BATTERY_CHANNEL 3u /* PA3, a divider of two on the board */

#endif
