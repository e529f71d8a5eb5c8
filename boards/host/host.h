/* What main.c opens and port.c and slot.c use. */
#ifndef EIN_HOST_H
#define EIN_HOST_H

#include <stdbool.h>
#include <stdio.h>

#include "ein_port.h"

/* Environment variable that carries the descriptors over a reset. */
#define EIN_HOST_RESET "EIN_HOST_RESET"

typedef struct {
    int listener; /* -1: there is one peer only, and the process ends with it */
    int in, out;  /* -1: nobody is connected */
    FILE *adc;    /* NULL: no ADC */
    bool adc_paced;
    uint32_t adc_speed; /* times real time */
    long adc_ppm;       /* by so much its clock is too fast */
    const char *serial; /* what it says its serial number is; "": it has none */
    int slot;           /* the file that stands for the slot; -1: none yet */
    int slots;          /* the file that stands for the slots of firmware; -1: there are none */
    int keys;           /* the file that stands for the key's pages; -1: none yet */
    bool fast;          /* time is made up: it passes when the program sleeps, and then at once */
    uint64_t fast_ns;   /* that time */
    const char *script, *panel; /* of a device's button and battery, and light and tone; or NULL */
    const char *front_end, *faults; /* of a device: the part whose model gives samples; or NULL */
    bool (*front_end_adc)(int16_t *sample, uint32_t *lost); /* what a device's front end gives */
    void (*front_end_describe)(ein_port_info_t *info);      /* and in which counts; or NULL */
    int log;             /* the file that stands for the log's sectors; -1: none yet */
    uint16_t battery_mv; /* of a device; 0: it has none */
    long end_after;      /* bytes that arrive until the process ends; -1: never */
    long log_cut;        /* bytes of the log after whose change the process ends; -1: never */
    long power_cut;      /* bytes of the slot after whose change the process ends; -1: never */
    ein_reset_reason_t reset_reason;
    char **argv;
} ein_host_t;

extern ein_host_t ein_host;

/* Monotonic, in nanoseconds: the machine's clock or the made-up one. */
uint64_t ein_host_now_ns(void);

/* The process's watchdog (watchdog.c): calls `expired` after four tenths of a second of its own
   processor time without a meal. */
void ein_host_watchdog_start(void (*expired)(void));
void ein_host_watchdog_feed(void);
void ein_host_watchdog_stop(void);

/* Lets so much time pass: what the program would have waited for. */
void ein_host_pass_ns(uint64_t ns);

/* Takes an open descriptor as the link in both directions. */
void ein_host_use(int fd);

/* Prints what failed, with errno's text, and ends the process with code 1. */
void ein_host_die(const char *what) __attribute__((noreturn));

#endif
