/* A request that cannot be met is answered with a code and a line of text. */
#include "ein_app_state.h"

#include <string.h>

void ein_app_send_error(ein_app_t *app, uint8_t sequence, uint8_t code, const char *text)
{
    ein_wire_error_t error = {code, (const uint8_t *)text, (uint8_t)strlen(text)};
    ein_app_send(app, EIN_WIRE_ERROR, sequence, ein_wire_put_error(ein_app_payload(app), &error));
}
