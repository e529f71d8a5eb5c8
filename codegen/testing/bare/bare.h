/* What a bare target offers to bare_main.c: the least that it takes to run the engine and count. */
#ifndef BARE_H
#define BARE_H

#include <stdint.h>

void bare_put(char c);
uint32_t
bare_count(void); /* instructions so far, modulo a power of two: bare_elapsed knows which */
uint32_t bare_elapsed(uint32_t begin, uint32_t end);
void bare_exit(void);

#endif
