/* Little-endian integers in byte buffers, at any alignment. */
#ifndef EIN_BYTES_H
#define EIN_BYTES_H

#include <stdint.h>

static inline uint8_t *ein_put_u8(uint8_t *at, uint8_t value)
{
    at[0] = value;
    return at + 1;
}

static inline uint8_t *ein_put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    return at + 2;
}

static inline uint8_t *ein_put_u32(uint8_t *at, uint32_t value)
{
    return ein_put_u16(ein_put_u16(at, (uint16_t)value), (uint16_t)(value >> 16));
}

static inline uint8_t *ein_put_u64(uint8_t *at, uint64_t value)
{
    return ein_put_u32(ein_put_u32(at, (uint32_t)value), (uint32_t)(value >> 32));
}

static inline uint16_t ein_get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | (uint16_t)(at[1] << 8));
}

static inline uint32_t ein_get_u32(const uint8_t *at)
{
    return ein_get_u16(at) | ((uint32_t)ein_get_u16(at + 2) << 16);
}

/* Two's complement without relying on the conversion of values that do not fit. */
static inline int16_t ein_int16(uint16_t value)
{
    return value < 0x8000u ? (int16_t)value : (int16_t)((int32_t)value - 0x10000);
}

static inline int16_t ein_get_i16(const uint8_t *at)
{
    return ein_int16(ein_get_u16(at));
}

#endif
