/* Functions of the ESP32-C3's boot ROM, at the addresses that direct.ld gives them: the same in all
   revisions (ESP-IDF's components/esp_rom/esp32c3/ld/esp32c3.rom.ld, "ECO version 0 or greater").
 */
#ifndef EIN_ROM_H
#define EIN_ROM_H

#include <stdint.h>

/* Registers of the analogue parts, which only the ROM's protocol reaches (rom/rtc.h). */
void _rom_i2c_write(uint8_t part, uint8_t host, uint8_t at, uint8_t value);
void _rom_i2c_write_bits(uint8_t part, uint8_t host, uint8_t at, uint8_t high_bit, uint8_t low_bit,
                         uint8_t value);

/* What the ROM's own delays count by. */
void _rom_cpu_mhz(uint32_t mhz);

/* Nothing is read from flash through the cache between these two; the first one's result is the
   other's argument (rom/cache.h). */
uint32_t _rom_cache_suspend(void);
void _rom_cache_resume(uint32_t autoload);
/* What the cache shows of an address where data of the flash appear is read anew. */
int _rom_cache_invalidate(uint32_t at, uint32_t n);

/* 0 is good; offsets from the flash's begin (esp_rom_spiflash.h). */
int _rom_flash_is(uint32_t id, uint32_t chip_bytes, uint32_t block_bytes, uint32_t sector_bytes,
                  uint32_t page_bytes, uint32_t status_mask);
int _rom_flash_erase(uint32_t sector);
int _rom_flash_write(uint32_t at, const uint32_t *words, int32_t n_bytes);

#endif
