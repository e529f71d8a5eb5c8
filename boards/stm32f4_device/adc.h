/* ADC1 by TIM2 and DMA2: conversions into a ring in RAM, without the core.
 *
 * The ring holds EIN_ADC_RING conversions, 2.2 s at 500 Hz, and is longer than the core may stand
 * still (EIN_BUS_ADC_WAIT_MS, asserted in adc.c). How many have come is DMA's count; how often it
 * has gone round meanwhile is the clock's, so that what was overwritten is known. RAM: 2.2 KB.
 * RM0090: 13.8.1 DMA of the ADC, 13.13 its registers, 10.5 DMA's, table 43 (ADC1: DMA2, stream 0,
 * channel 0), 18.4.2 TRGO. RM0383 and RM0390 have the same.
 */
#ifndef EIN_ADC_H
#define EIN_ADC_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_bus.h"

#define EIN_ADC_RING 1120u

/* As ein_bus_adc. */
bool ein_adc_start(uint16_t rate_hz, ein_bus_on_adc_t on_adc, void *context);

void ein_adc_stop(void);

/* As ein_bus_serve. After an overrun of the ADC or an error of DMA it begins anew, and tells how
   many conversions that cost. */
void ein_adc_serve(void);

#endif
