// Arduino's entry: setup() once, loop() for ever.
#include <Arduino.h>

extern "C" {
#include "ein_app.h"
}

void setup()
{
    ein_app_init();
}

void loop()
{
    ein_app_step();
}
