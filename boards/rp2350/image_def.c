/* What the boot ROM looks for in the first 4 KB of the flash before it takes an image for one: a
   PICOBIN block (data sheet, 5.9.5, the least that there is). It then starts from the vectors at
   the flash's begin, or on RISC-V enters there, with the flash set up for reading in place. For
   which cores the image is says the block: the ROM restarts the chip with those (5.1.20). */
#include <stdint.h>

#define BLOCK_BEGIN 0xFFFFDED3u
#define BLOCK_END 0xAB123579u
#define ITEM_IMAGE_TYPE 0x42u
#define ITEM_LAST 0xFFu
#define IMAGE_TYPE_EXE 0x0001u
#define IMAGE_TYPE_SECURE 0x0020u
#define IMAGE_TYPE_ARM 0x0000u
#define IMAGE_TYPE_RISCV 0x0100u
#define IMAGE_TYPE_RP2350 0x1000u
#ifdef __riscv
#define IMAGE_TYPE (IMAGE_TYPE_EXE | IMAGE_TYPE_RISCV | IMAGE_TYPE_RP2350)
#else
#define IMAGE_TYPE (IMAGE_TYPE_EXE | IMAGE_TYPE_SECURE | IMAGE_TYPE_ARM | IMAGE_TYPE_RP2350)
#endif
#define WORDS(n) ((uint32_t)(n) << 8)

__attribute__((section(".image_def"), used)) static const uint32_t image_def[] = {
    BLOCK_BEGIN,
    IMAGE_TYPE << 16 | WORDS(1) | ITEM_IMAGE_TYPE,
    WORDS(1) | ITEM_LAST, /* one word of items before it */
    0,                    /* to the next block: itself, there is no other */
    BLOCK_END,
};
