/* What a board has to provide so that a front end can be read: SPI, pins, edges, an ADC, a clock.
 *
 * boards/models does so with register-level models of the parts, boards/stm32f4_device with the
 * chip's peripherals: start from that one for another board.
 * Unless said otherwise a function is called from the main loop and from the handler below alike,
 * and every wait has a bound: a peripheral that does not come makes a call return.
 */
#ifndef EIN_BUS_H
#define EIN_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A sector of the log is erased, and a turn of the loop beside it: [ring] of device.toml. */
#define EIN_BUS_ADC_WAIT_MS 2200u
#define EIN_BUS_ADC_MOST 64u

typedef enum {
    EIN_BUS_RESET = 0,  /* out, active low: RESET/PWDN of an ADS1292R, SDN of an AD8232 */
    EIN_BUS_LEAD_P = 1, /* in: LO+ of an AD8232 */
    EIN_BUS_LEAD_N = 2, /* in: LO- of an AD8232 */
    EIN_BUS_PINS = 3,
} ein_bus_pin_t;

/* A falling edge of the data-ready line at us on the clock below. In an interrupt, or as if in one:
   never while a function of ein_front_end.h that the main loop calls is between hold and release.
 */
typedef void (*ein_bus_on_edge_t)(void *context, uint32_t us);

/* n conversions in a row, the last one at us; `lost` came before them and were overwritten. */
typedef void (*ein_bus_on_adc_t)(void *context, const uint16_t *values, size_t n, uint32_t lost,
                                 uint32_t us);

/* Selects the part, exchanges n bytes (1..32), mode 1 or 0 as `mode` says, at most 1 MHz, and lets
   the part go. False, if the peripheral did not come to an end: in is undefined then. */
bool ein_bus_spi(uint8_t mode, const uint8_t *out, uint8_t *in, size_t n);

void ein_bus_set(ein_bus_pin_t pin, bool high);
bool ein_bus_get(ein_bus_pin_t pin);

/* Free-running, 1 MHz, wraps. Its error is the board's crystal's. */
uint32_t ein_bus_us(void);

/* Busy for at least so long, at most 10,000 us. Main loop only. */
void ein_bus_wait_us(uint32_t us);

/* Edges go to on_edge until ein_bus_stop. An edge that waits while held comes late, not never. */
void ein_bus_listen(ein_bus_on_edge_t on_edge, void *context);

/* 12-bit conversions at rate_hz, by a timer and DMA, go to on_adc in blocks until ein_bus_stop.
   They wait where DMA puts them: at least EIN_BUS_ADC_WAIT_MS, so that none is lost while the core
   stands still (docs/log.md). False: the board has no ADC for it. */
bool ein_bus_adc(uint16_t rate_hz, ein_bus_on_adc_t on_adc, void *context);

/* Main loop, once a turn, not while held: a board that hands conversions on from there, and not
   from an interrupt, gives at most EIN_BUS_ADC_MOST now. Others do nothing. */
void ein_bus_serve(void);

void ein_bus_stop(void);

/* Between the two no handler is called. Main loop only, not nested, for at most 1 ms. */
void ein_bus_hold(void);
void ein_bus_release(void);

#endif
