/* What stands on the application in a build with -D EIN_EXTENSION: four functions that the
 * application calls and firmware/device or firmware/logger implements, as a board implements
 * ein_port.h. Other builds know nothing of it.
 *
 * All are called from the main loop only. None may wait: the loop feeds the watchdog once a turn.
 */
#ifndef EIN_APP_EXTENSION_H
#define EIN_APP_EXTENSION_H

#include "ein_app_state.h"

typedef enum {
    EIN_EXTENSION_PASS = 0,      /* not its own: the application's handler takes it */
    EIN_EXTENSION_TAKEN = 1,     /* answered, or refused with an error */
    EIN_EXTENSION_MALFORMED = 2, /* its own, and of a wrong size: the application says so */
} ein_extension_answer_t;

/* Once, when the port and the application are ready; the banner has been printed. */
void ein_extension_init(ein_app_t *app);

/* Every frame that arrives, before the application sees it: what it does not pass on, the
   application never sees. Answers by ein_app_send() and ein_app_send_error(). */
ein_extension_answer_t ein_extension_message(ein_app_t *app, const ein_frame_t *frame);

/* Every new event of the session, once, in order. False: it is not for whoever listens, and is not
   sent. Must not push, drain or finish the session, which is in the middle of it. */
bool ein_extension_event(ein_app_t *app, const ein_outbox_event_t *event);

/* Once a turn of the main loop. True: there may be more to do at once, the board must not sleep. */
bool ein_extension_step(ein_app_t *app);

#endif
