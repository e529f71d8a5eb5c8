/* Entry of boards that boot into main() and pass no arguments. */
#include "ein_app.h"

#ifndef PIO_UNIT_TESTING /* PlatformIO's tests bring their own */
int main(void)
{
    ein_app_init();
    for (;;) {
        ein_app_step();
    }
}
#endif
