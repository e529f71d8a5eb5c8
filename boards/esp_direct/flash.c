/* While the flash takes a command the cache can fetch nothing from it, neither instructions nor
   constants: direct.ld puts the code of this file into RAM, and it touches nothing but RAM and ROM
   between suspending the cache and resuming it. Interrupts go on, as theirs lies in RAM, too; an
   exception meanwhile would end in the watchdog's reset. Started directly, nobody has told the
   ROM's driver how large the flash is: that is done before each command, as esptool's stub does.
   Sectors are not unlocked: esptool has done that when it wrote the image. */
#include "flash.h"

#include "rom.h"

#define FLASH_BYTES 0x400000u
#define BLOCK_BYTES 0x10000u
#define PAGE_BYTES 256u
#define STATUS_MASK 0xFFFFu
#define SEEN_AT 0x3C000000u /* where the ROM has the flash appear as data */
#define CHUNK_WORDS 16u

static uint32_t begin(void)
{
    const uint32_t autoload = _rom_cache_suspend();
    (void)_rom_flash_is(0, FLASH_BYTES, BLOCK_BYTES, EIN_FLASH_SECTOR_BYTES, PAGE_BYTES,
                        STATUS_MASK);
    return autoload;
}

static bool end(uint32_t autoload, uint32_t at, uint32_t n, int result)
{
    _rom_cache_resume(autoload);
    (void)_rom_cache_invalidate(SEEN_AT + at, n);
    return result == 0;
}

bool ein_flash_erase(uint32_t at)
{
    const uint32_t autoload = begin();
    const int result = _rom_flash_erase(at / EIN_FLASH_SECTOR_BYTES);
    return end(autoload, at, EIN_FLASH_SECTOR_BYTES, result);
}

/* What is to be written may lie anywhere: a copy in RAM, whole words, goes out. */
bool ein_flash_write(uint32_t at, const void *bytes, size_t n)
{
    const volatile uint8_t *from = bytes; /* no memcpy(), which is in flash */
    bool good = true;
    while (good && n > 0) {
        uint32_t chunk[CHUNK_WORDS];
        const uint32_t some = n < sizeof chunk ? (uint32_t)n : (uint32_t)sizeof chunk;
        for (uint32_t i = 0; i < some; i++) {
            ((volatile uint8_t *)chunk)[i] = from[i];
        }
        const uint32_t autoload = begin();
        const int result = _rom_flash_write(at, chunk, (int32_t)some);
        good = end(autoload, at, some, result);
        at += some;
        from += some;
        n -= some;
    }
    return good;
}
