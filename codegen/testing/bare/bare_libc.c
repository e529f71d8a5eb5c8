/* The two C library functions that compilers and the engine call: no target needs a libc for them.
 */
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);

#define AS_WRITTEN __attribute__((optimize("no-tree-loop-distribute-patterns")))

AS_WRITTEN void *memcpy(void *to, const void *from, size_t n)
{
    char *t = to;

    for (const char *f = from; n--;)
        *t++ = *f++;
    return to;
}

AS_WRITTEN void *memset(void *to, int value, size_t n)
{
    for (char *t = to; n--;)
        *t++ = (char)value;
    return to;
}
