/* Eight conversions make one sample: their mean is an anti-aliasing filter of a kind, and takes
   noise off. 12-bit ADC; 0 mV lies at half its range. Where an interrupt adds conversions and the
   main loop takes samples, a ring lies between: one writes, one reads, no lock. Zeroed is empty. */
#ifndef EIN_OVERSAMPLE_H
#define EIN_OVERSAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "rx.h" /* the barrier */

#define EIN_OVERSAMPLING 8u
#define EIN_OVERSAMPLE_BITS 12u
#define EIN_OVERSAMPLE_RAIL_LO (-2048)
#define EIN_OVERSAMPLE_RAIL_HI 2047
#define EIN_OVERSAMPLE_FULL 4095u
#define EIN_OVERSAMPLE_RING 32u /* 0.18 s at 180 Hz: longer than an inference takes */

typedef struct {
    uint32_t sum;
    uint8_t count;
    bool low, high; /* one of the conversions was at a rail */
} ein_oversample_sum_t;

typedef struct {
    struct {
        int16_t value;
        uint16_t dropped; /* samples before this one for which there was no room */
    } ring[EIN_OVERSAMPLE_RING];
    volatile uint32_t head; /* written by the interrupt only */
    volatile uint32_t tail; /* written by the main loop only */
    ein_oversample_sum_t sum;
    uint16_t dropped;
} ein_oversample_t;

/* The next conversion, 0 to EIN_OVERSAMPLE_FULL. True and the sample with every eighth. */
static inline bool ein_oversample_sum(ein_oversample_sum_t *o, uint32_t value, int16_t *sample)
{
    o->sum += value;
    o->low = o->low || value == 0;
    o->high = o->high || value == EIN_OVERSAMPLE_FULL;
    if (++o->count < EIN_OVERSAMPLING) {
        return false;
    }
    const int32_t mean = (int32_t)((o->sum + EIN_OVERSAMPLING / 2) / EIN_OVERSAMPLING) - 2048;
    /* One saturated conversion spoils the mean, so it makes the sample a rail. */
    *sample = o->low ? EIN_OVERSAMPLE_RAIL_LO : o->high ? EIN_OVERSAMPLE_RAIL_HI : (int16_t)mean;
    o->sum = 0;
    o->count = 0;
    o->low = o->high = false;
    return true;
}

/* Interrupt: the next conversion, as above. */
static inline bool ein_oversample_add(ein_oversample_t *o, uint32_t value, int16_t *sample)
{
    return ein_oversample_sum(&o->sum, value, sample);
}

/* Interrupt: a sample for the main loop. */
static inline void ein_oversample_put(ein_oversample_t *o, int16_t sample)
{
    const uint32_t head = o->head;
    if (head - o->tail < EIN_OVERSAMPLE_RING) {
        o->ring[head % EIN_OVERSAMPLE_RING].value = sample;
        o->ring[head % EIN_OVERSAMPLE_RING].dropped = o->dropped;
        ein_compiler_barrier();
        o->head = head + 1;
        o->dropped = 0;
    } else if (o->dropped < UINT16_MAX) {
        o->dropped++;
    }
}

static inline bool ein_oversample_empty(const ein_oversample_t *o)
{
    return o->head == o->tail;
}

/* Main loop: the next sample, and how many before it were lost. */
static inline bool ein_oversample_read(ein_oversample_t *o, int16_t *sample, uint32_t *dropped)
{
    const uint32_t tail = o->tail;
    if (o->head == tail) {
        return false;
    }
    ein_compiler_barrier();
    *sample = o->ring[tail % EIN_OVERSAMPLE_RING].value;
    *dropped = o->ring[tail % EIN_OVERSAMPLE_RING].dropped;
    ein_compiler_barrier();
    o->tail = tail + 1;
    return true;
}

#endif
