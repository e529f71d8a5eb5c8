/* What the models of boards/models are fed with, from files: the signal, and when what goes wrong.
 *
 * The signal is int16, little-endian, at the core's rate and 200 counts a millivolt, over and over,
 * with straight lines in between. The faults are lines
 *
 *     MS late|reset|flip|glitch|stuck|spi|lead_p|lead_n [FOR_MS]
 *
 * in order of the model's time; `late` is how long no interrupt is served, the last four hold for
 * so long. Whatever cannot be read ends the process with a line that says so.
 */
#ifndef EIN_SCRIPT_H
#define EIN_SCRIPT_H

#include <stdio.h>

#include "ein_sim.h"

/* Names of the parts, by ein_sim_part_t. */
extern const char *const ein_script_parts[3];

/* The model of the part by this name, powered up: its signal from `signal`, its faults from the
   file so named, or none if that is NULL; its clock is part_ppm too fast. Returns which part it is.
 */
ein_sim_part_t ein_script_begin(const char *part, FILE *signal, const char *faults,
                                int32_t part_ppm);

/* Once in a few milliseconds: what the script says by now. */
void ein_script_follow(void);

#endif
