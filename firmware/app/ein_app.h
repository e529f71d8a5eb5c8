/* The application: port -> wire -> core -> engine -> wire. docs/SPEC.md, section 5, says what it
 * answers.
 *
 * Modes: replay (samples from the host), stream (from the board's ADC), bench (one tensor), info.
 * It never waits for the host; the watchdog is fed once a step and once an event.
 */
#ifndef EIN_APP_H
#define EIN_APP_H

/* Initializes the port, prints the banner. */
void ein_app_init(void);

/* One turn of the main loop: handles what has arrived, or lets the board sleep. */
void ein_app_step(void);

#endif
