/* ADS1292R: Texas Instruments SBAS502C. */
#include <string.h>

#include "ein_part.h"

#define REGISTERS 12u
#define FRAME 9u
#define MOD_PS 7812500ull /* tMOD: 128 kHz (7.3.3) */

enum {
    ID,
    CONFIG1,
    CONFIG2,
    LOFF,
    CH1SET,
    CH2SET,
    RLD_SENS,
    LOFF_SENS,
    LOFF_STAT,
    RESP1,
    RESP2,
    GPIO
};

/* Table 16, "Reset value". */
static const uint8_t reset_values[REGISTERS] = {
    0x73, 0x02, 0x80, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x0C,
};

static struct {
    uint8_t registers[REGISTERS];
    uint8_t frame[FRAME], shift[FRAME];
    bool continuous, converting, powered;
    uint8_t place, opcode, address;
    uint32_t count;
} part;

static void reset(void)
{
    memset(&part, 0, sizeof(part));
    memcpy(part.registers, reset_values, REGISTERS);
    part.continuous = true; /* RDATAC is the default at power-up (table 15) */
    part.powered = true;
}

static void pin(bool high)
{
    /* Low resets, and held so powers down (7.5); the rising edge begins anew. */
    if (high && !part.powered) {
        reset();
    } else if (!high) {
        part.powered = false;
        part.converting = false;
    }
}

static uint64_t period_ps(bool first)
{
    if (!part.converting || (part.registers[CONFIG1] & 0x80u) != 0) {
        return 0;
    }
    /* DR: 125 to 8000 a second (table 18); settling 4 periods and 4 tMOD (table 8). */
    const uint64_t mods = 1024u >> (part.registers[CONFIG1] & 7u);
    return MOD_PS * (first ? 4u * mods + 4u : mods);
}

static int32_t code_of(uint8_t setting, int32_t nv, uint64_t t_ps)
{
    static const uint8_t gains[8] = {6, 1, 2, 3, 4, 8, 12, 6}; /* table 21 */
    int64_t uv_in = nv;
    switch (setting & 0x0Fu) {
    case 0: /* electrodes */
        if (ein_sim_faults.lead_p_off || ein_sim_faults.lead_n_off) {
            /* The comparators' current pulls an open input to its rail (7.3.7.1). */
            uv_in = ein_sim_faults.lead_p_off ? 500000000 : -500000000;
        }
        break;
    case 1: /* shorted (7.3.1.1) */
        uv_in = 0;
        break;
    case 5: /* +-VREF/2400 at fCLK / 2^19 (7.3.1.2, table 19) */
        uv_in = (part.registers[CONFIG2] & 2u) == 0               ? 0
                : (part.registers[CONFIG2] & 1u) == 0             ? 1008333
                : t_ps / 1000000u * 512000u / 1000000u >> 18 & 1u ? 1008333
                                                                  : -1008333;
        break;
    default:
        uv_in = 0;
        break;
    }
    /* 8 uV peak to peak input-referred noise at gain 6 (7.7, noise); VREF 2.42 V. */
    uv_in += ein_part_random(4000);
    const int64_t code = uv_in * gains[setting >> 4 & 7u] * 8388607 / 2420000000;
    return (int32_t)(code > 8388607 ? 8388607 : code < -8388608 ? -8388608 : code);
}

static void put(uint8_t *bytes, int32_t code)
{
    bytes[0] = (uint8_t)(code >> 16);
    bytes[1] = (uint8_t)(code >> 8);
    bytes[2] = (uint8_t)code;
}

static bool convert(int32_t nv, uint64_t t_ps)
{
    /* LOFF_STAT: RLD, IN2N, IN2P, IN1N, IN1P (table 25), by comparators that must be on (table 19)
       for inputs that are watched (table 24). */
    uint8_t off = 0;
    if ((part.registers[CONFIG2] & 0x40u) != 0) {
        off |= ein_sim_faults.lead_p_off ? part.registers[LOFF_SENS] & 0x04u : 0u;
        off |= ein_sim_faults.lead_n_off ? part.registers[LOFF_SENS] & 0x08u : 0u;
    }
    part.registers[LOFF_STAT] = off;
    /* 1100, LOFF_STAT, GPIO, thirteen zeros; a channel that is off gives 0 (8.5.1.7). */
    part.frame[0] = (uint8_t)(0xC0u | off >> 1);
    part.frame[1] = (uint8_t)((uint32_t)off << 7 | (part.registers[GPIO] & 3u) << 5);
    part.frame[2] = 0;
    for (uint32_t channel = 0; channel < 2; channel++) {
        const uint8_t setting = part.registers[CH1SET + channel];
        put(part.frame + 3 + 3 * channel, (setting & 0x80u) != 0 ? 0 : code_of(setting, nv, t_ps));
    }
    part.count++;
    return true;
}

static void select(void)
{
    part.place = 0;
    part.opcode = 0;
    memcpy(part.shift, part.frame, FRAME);
}

static void system_command(uint8_t code)
{
    if (code == 0x08) { /* START (or restart) */
        part.converting = true;
        ein_part_restarted = true;
    } else if (code == 0x0A || code == 0x04) { /* STOP, STANDBY */
        part.converting = false;
    } else if (code == 0x06) { /* RESET */
        reset();
    } else if (code == 0x10) {
        part.continuous = true;
    }
}

static uint8_t exchange(uint8_t in)
{
    const uint32_t place = part.place++;
    if (!part.powered) {
        return 0;
    }
    if (place == 0) {
        part.opcode = in;
        if (in == 0x11) {
            part.continuous = false;
        } else if (in < 0x11 && in != 0) {
            system_command(in);
        }
    }
    if (part.continuous) {
        /* Data come out with any clock, and again after the last byte (8.5.1.8); registers are not
           reached (table 15, note 2). */
        return part.opcode == 0 ? part.shift[place % FRAME] : 0;
    }
    const bool read = (part.opcode & 0xE0u) == 0x20u, write = (part.opcode & 0xE0u) == 0x40u;
    if ((!read && !write) || place < 2) {
        return 0;
    }
    const uint32_t address = (part.opcode & 0x1Fu) + place - 2u;
    if (address >= REGISTERS) {
        return 0;
    }
    if (write && address != ID && address != LOFF_STAT) {
        part.registers[address] = in;
    }
    return read ? part.registers[address] : 0;
}

static void deselect(void)
{
}

const ein_part_t ein_part_ads1292r = {
    reset, pin, period_ps, convert, select, exchange, deselect, NULL,
};
