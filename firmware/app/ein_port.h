/* What a board has to provide to run the Einthoven application: eleven functions.

   boards/<name>/port.c implements them; boards/template/ is the file to start from. All are called
   from the application's main loop only, never from an interrupt and never at the same time, and
   every wait inside them has a bound: a peripheral that does not come makes a call return, not
   hang. No function allocates; pointers that are handed in are not kept after the call. */
#ifndef EIN_PORT_H
#define EIN_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What ein_port_count() counts. Instructions and cycles are never called by each other's name. */
typedef enum {
    EIN_COUNT_NONE = 0,         /* always 0 */
    EIN_COUNT_INSTRUCTIONS = 1, /* executed instructions (emulator) */
    EIN_COUNT_CYCLES = 2,       /* core clock cycles (silicon) */
    EIN_COUNT_NANOSECONDS = 3   /* monotonic clock (host) */
} ein_count_unit_t;

/* Bytes that a slot holds at least. A board short of flash may give what its model's head takes, by
   -D EIN_SLOT_BYTES; a larger head is refused when it is compiled. */
#ifndef EIN_SLOT_BYTES
#define EIN_SLOT_BYTES 4352u
#endif

typedef enum {
    EIN_RESET_UNKNOWN = 0,
    EIN_RESET_POWER = 1, /* power-on or brown-out */
    EIN_RESET_PIN = 2,
    EIN_RESET_SOFTWARE = 3, /* ein_port_reset() */
    EIN_RESET_WATCHDOG = 4,
    EIN_RESET_FAULT = 5 /* the fault handler reported and reset */
} ein_reset_reason_t;

/* Texts are NUL-terminated, printable ASCII, at most 24 characters, and live as long as the
 * program. */
typedef struct {
    const char *board;  /* name of the folder in boards/ */
    const char *build;  /* free form: version, commit, compiler; "" if unknown */
    const char *serial; /* unique per device; "" if the chip has none */
    ein_count_unit_t count_unit;
    ein_reset_reason_t reset_reason; /* why the program was started */
    uint16_t
        rx_buffer_bytes; /* bytes that arrive while the program computes and are not lost: >= 512 */
    uint8_t adc_bits;    /* of the samples in stream mode, sign included */
    uint16_t adc_gain_lsb_per_mv;
    int16_t adc_rail_lo, adc_rail_hi; /* counts at which the ADC or its amplifier is saturated */
    uint32_t stack_bytes;             /* reserved for the stack; 0 if unknown */
    uint32_t stack_used_bytes;        /* high-water mark since the start; 0 if unknown */
    uint32_t rx_overruns; /* bytes lost because nobody fetched them in time, since start */
} ein_port_info_t;

/* Clocks, serial port, counter, watchdog. Called once, first. */
void ein_port_init(void);

/* Fills *info. Called seldom: may walk the painted stack. */
void ein_port_info(ein_port_info_t *info);

/* Takes up to n received bytes, without waiting; returns how many. */
size_t ein_port_read(uint8_t *bytes, size_t n);

/* Sends n bytes in order; waits for the transmitter at most about 100 ms in all. Returns how many
   were taken; fewer than n means that nobody fetches them, and the rest is the caller's to drop. */
size_t ein_port_write(const uint8_t *bytes, size_t n);

/* Free-running counter, wraps at 2^32; differences of two reads count the work between them.
   0 always if the board has none. */
uint32_t ein_port_count(void);

/* One step of the main loop: feeds the watchdog (time-out 2 s to 10 s). With idle, there is nothing
   to do, and the board may sleep until the next interrupt, at most 10 ms. */
void ein_port_poll(bool idle);

/* Stream mode: true, and the next sample in signed counts around 0, if one is due at the core's
   rate (EIN_PIPELINE_RATE_HZ). The port starts sampling at the first call; *lost is the number of
   samples that came and could not be kept since the previous call (normally 0). A board without an
   ADC returns false. */
bool ein_port_adc(int16_t *sample, uint32_t *lost);

/* The slot: a small area that keeps its content without power, for a patient's parameters. A board
   without one returns false from all three, and a caller takes false for that or for a failure.
   Offsets and sizes are multiples of 4 and lie within EIN_SLOT_BYTES. After an erase all bytes are
   0xFF (before the first one, anything); a word is written once after it. What a call has not
   finished when the power goes is undefined: the caller checks what it reads. Erasing may take up
   to 2 s, in which received bytes may be lost; the port feeds the watchdog. */
bool ein_port_slot_read(uint32_t offset, void *bytes, size_t n);
bool ein_port_slot_erase(void);
bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n);

/* Restarts the program, as after power-on. Does not return. */
void ein_port_reset(void);

#endif
