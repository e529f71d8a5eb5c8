/* What a sketch defines. */
#pragma once
void setup(void);
void loop(void);
