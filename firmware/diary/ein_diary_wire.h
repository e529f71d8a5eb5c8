/* The log over the wire: status, bytes, deletion; and the time, which the log joins with its own.
 */
#ifndef EIN_DIARY_WIRE_H
#define EIN_DIARY_WIRE_H

#include "ein_app_extension.h"
#include "ein_diary.h"
#include "ein_diary_clock.h"

/* Takes what belongs to log and time. Whoever must not is refused before, where there is a key. */
ein_extension_answer_t ein_diary_message(ein_diary_t *diary, ein_diary_clock_t *clock,
                                         ein_app_t *app, const ein_frame_t *frame);

#endif
