/* The log over the wire: status, bytes, deletion. */
#ifndef EIN_DEVICE_LOG_H
#define EIN_DEVICE_LOG_H

#include "ein_app_extension.h"
#include "ein_log.h"

/* Takes what belongs to the log. */
ein_extension_answer_t ein_device_log_message(ein_log_t *log, ein_app_t *app,
                                              const ein_frame_t *frame);

#endif
