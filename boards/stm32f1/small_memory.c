/* memcpy() and its kin in few bytes, for chips whose flash is full: the C library's are unrolled,
   and five times as large. Words where both places allow it, else bytes. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Or the compiler would make these loops calls of the very functions that they are. Used: when the
   linker optimizes, calls of them are made after it has seen that there are none. */
#define PLAIN_LOOPS __attribute__((optimize("no-tree-loop-distribute-patterns"), used))

typedef uint32_t __attribute__((may_alias)) word_t;

PLAIN_LOOPS void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((((uintptr_t)to | (uintptr_t)from) & 3u) == 0) {
        for (; n >= 4; n -= 4, t += 4, f += 4) {
            *(word_t *)(void *)t = *(const word_t *)(const void *)f;
        }
    }
    while (n-- > 0) {
        *t++ = *f++;
    }
    return to;
}

PLAIN_LOOPS void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)to <= (uintptr_t)from) {
        return memcpy(to, from, n); /* it goes upwards */
    }
    while (n-- > 0) {
        t[n] = f[n];
    }
    return to;
}

PLAIN_LOOPS void *memset(void *to, int value, size_t n)
{
    uint8_t *t = to;
    while (n-- > 0) {
        *t++ = (uint8_t)value;
    }
    return to;
}

PLAIN_LOOPS int memcmp(const void *one, const void *other, size_t n)
{
    const uint8_t *a = one, *b = other;
    for (; n > 0; n--, a++, b++) {
        if (*a != *b) {
            return *a < *b ? -1 : 1;
        }
    }
    return 0;
}

PLAIN_LOOPS size_t strlen(const char *text)
{
    size_t n = 0;
    while (text[n] != '\0') {
        n++;
    }
    return n;
}
