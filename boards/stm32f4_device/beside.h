/* ein_bus.h in the emulator: the same drivers, on the models of their parts (ein_beside.h).
 *
 * Where the core would sleep the time until something can happen passes at once, on the device's
 * own clock (timer.h): QEMU's, which can do that too, wakes a sleeping core one period of SysTick
 * late now and then. An edge makes the data-ready interrupt pending, as on the chip. Private to
 * this folder.
 */
#ifndef EIN_BESIDE_BUS_H
#define EIN_BESIDE_BUS_H

#include "ein_beside.h"
#include "ein_bus.h"

/* False: nobody answers, or the transfer did not come to its end. */
bool ein_beside_ask(uint8_t operation, uint8_t argument, const uint8_t *bytes, uint8_t n,
                    uint8_t *in);

/* Conversions go to on_adc from ein_beside_serve on. */
void ein_beside_adc(ein_bus_on_adc_t on_adc, void *context);

/* LO+ or LO-, in on_adc: as it was when they were made. */
bool ein_beside_lead(ein_bus_pin_t pin);

void ein_beside_stop(void);

/* Instead of sleeping, at most 10 ms. */
void ein_beside_sleep(void);

/* Main loop: what is due, and conversions that are. */
void ein_beside_serve(void);

#endif
