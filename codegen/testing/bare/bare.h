/* What a bare target offers to bare_main.c: the least that it takes to run the engine and count. */
#ifndef BARE_H
#define BARE_H

#include <stdint.h>

void bare_put(char c);
uint32_t bare_count(void); /* instructions so far, modulo 2^32 */
void bare_exit(void);

#endif
