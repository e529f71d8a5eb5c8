/* MAX30003: Maxim 19-8558; names are those of its register map. */
#include <string.h>

#include "ein_part.h"

#define FIFO_WORDS 32u

enum {
    STATUS = 0x01,
    EN_INT = 0x02,
    MNGR_INT = 0x04,
    MNGR_DYN = 0x05,
    SW_RST = 0x08,
    SYNCH = 0x09,
    FIFO_RST = 0x0A,
    INFO = 0x0F,
    CNFG_GEN = 0x10,
    CNFG_CAL = 0x12,
    CNFG_EMUX = 0x14,
    CNFG_ECG = 0x15,
    FIFO_BURST = 0x20,
    FIFO = 0x21,
};

#define EINT (1u << 23)
#define EOVF (1u << 22)

static struct {
    uint32_t registers[0x80];
    uint32_t fifo[FIFO_WORDS];
    uint32_t head, tail; /* of the FIFO: written, read */
    bool overflow;       /* sticks until FIFO_RST or SYNCH (STATUS, EOVF) */
    bool line_low;       /* INTB */
    uint8_t place, address;
    bool read;
    uint32_t word;
} part;

static void reset(void)
{
    memset(&part, 0, sizeof(part));
    ein_sim_faults.stuck = false;
    part.registers[EN_INT] = 0x000003;
    part.registers[MNGR_INT] = 0x780004;
    part.registers[MNGR_DYN] = 0x3F0000;
    part.registers[INFO] = 0x501000; /* 0101, revision, 01 */
    part.registers[CNFG_GEN] = 0x000004;
    part.registers[CNFG_CAL] = 0x004800;
    part.registers[CNFG_EMUX] = 0x300000;
    part.registers[CNFG_ECG] = 0x805000;
}

static void pin(bool high)
{
    (void)high; /* it has none */
}

static uint64_t period_ps(bool first)
{
    (void)first;
    const uint32_t fmstr = part.registers[CNFG_GEN] >> 20 & 3u;
    const uint32_t rate = part.registers[CNFG_ECG] >> 22;
    if ((part.registers[CNFG_GEN] & 1u << 19) == 0 || rate == 3) { /* EN_ECG */
        return 0;
    }
    /* CNFG_ECG, RATE: 512, 256, 128 at 32768 Hz; 500, 250, 125 at 32000; 200 at both others. */
    static const uint64_t base_ps[4] = {1953125000, 2000000000, 5000000000, 5004882812};
    return fmstr < 2 ? base_ps[fmstr] << rate : base_ps[fmstr];
}

static uint32_t lead_bits(void)
{
    /* EN_DCLOFF = 01; LDOFF_PH and LDOFF_NH. */
    if ((part.registers[CNFG_GEN] >> 12 & 3u) != 1u) {
        return 0;
    }
    return (ein_sim_faults.lead_p_off ? 8u : 0u) | (ein_sim_faults.lead_n_off ? 2u : 0u);
}

static uint32_t status(void)
{
    const uint32_t waiting = part.head - part.tail;
    const uint32_t eint = waiting >= (part.registers[MNGR_INT] >> 19) + 1u ? EINT : 0u; /* EFIT */
    const uint32_t off = lead_bits();
    return eint | (part.overflow ? EOVF : 0u) | (off != 0 ? 1u << 20 : 0u) | off;
}

/* True when INTB falls. */
static bool line(void)
{
    const bool low = (status() & part.registers[EN_INT] & 0xFFFF00u) != 0;
    const bool falls = low && !part.line_low;
    part.line_low = low;
    return falls;
}

static int64_t input_nv(int32_t nv, uint64_t t_ps)
{
    const uint32_t emux = part.registers[CNFG_EMUX], cal = part.registers[CNFG_CAL];
    if ((emux & 3u << 20) == 0) { /* OPENP, OPENN */
        const bool off = ein_sim_faults.lead_p_off || ein_sim_faults.lead_n_off;
        return off ? (ein_sim_faults.lead_p_off ? 300000000 : -300000000) : nv;
    }
    if ((emux >> 16 & 15u) != 0xBu || (cal & 1u << 22) == 0) { /* not VCALP and VCALN, or off */
        return 0;
    }
    /* VMAG 0.25 or 0.5 mV; bipolar; FCAL: FMSTR / 2^(7 + 2 n); FIFTY. */
    const int64_t amplitude = (cal & 1u << 20) != 0 ? 500000 : 250000;
    const uint32_t shift = 7u + 2u * (cal >> 12 & 7u);
    const uint64_t ticks = t_ps / 1000000u * 32000u / 1000000u;
    return (ticks >> (shift - 1u) & 1u) != 0 ? amplitude : -amplitude;
}

static bool convert(int32_t nv, uint64_t t_ps)
{
    static const uint8_t gains[4] = {20, 40, 80, 160};             /* CNFG_ECG, GAIN */
    const int64_t in = input_nv(nv, t_ps) + ein_part_random(1550); /* 3.1 uV p-p at 150 Hz */
    int64_t code = in * gains[part.registers[CNFG_ECG] >> 16 & 3u] * 131072 / 1000000000;
    code = code > 131071 ? 131071 : code < -131072 ? -131072 : code;
    if (part.head - part.tail == FIFO_WORDS) {
        part.overflow = true; /* what comes now is not kept */
    } else {
        part.fifo[part.head++ % FIFO_WORDS] = ((uint32_t)code & 0x3FFFFu) << 6 | 7u;
    }
    return line();
}

static uint32_t pop(void)
{
    if (part.overflow) {
        return 7u << 3;
    }
    if (part.head == part.tail) {
        return 6u << 3 | 7u; /* ETAG: empty */
    }
    const uint32_t word = part.fifo[part.tail++ % FIFO_WORDS];
    return word | (part.head == part.tail ? 2u << 3 : 0u); /* ETAG: last of the FIFO */
}

static void clear_fifo(void)
{
    part.head = part.tail = 0;
    part.overflow = false;
}

static void write(uint8_t address, uint32_t value)
{
    if (address == SW_RST) {
        reset();
    } else if (address == SYNCH) {
        clear_fifo();
        ein_part_restarted = true;
    } else if (address == FIFO_RST) {
        clear_fifo();
    } else if (address != STATUS && address != INFO) {
        const bool was_off = (part.registers[CNFG_GEN] & 1u << 19) == 0;
        part.registers[address] = value;
        if (was_off && (part.registers[CNFG_GEN] & 1u << 19) != 0) {
            ein_part_restarted = true;
        }
    }
}

static void select(void)
{
    part.place = 0;
    part.word = 0;
}

static uint8_t exchange(uint8_t in)
{
    const uint32_t place = part.place++;
    if (place == 0) {
        part.address = in >> 1;
        part.read = (in & 1u) != 0;
        return 0;
    }
    if (!part.read) {
        part.word = part.word << 8 | in;
        if (place == 3) {
            write(part.address, part.word & 0xFFFFFFu);
        }
        return 0;
    }
    if (place % 3u == 1u) { /* another word */
        const bool fifo = part.address == FIFO || part.address == FIFO_BURST;
        part.word = fifo ? pop() : part.address == STATUS ? status() : part.registers[part.address];
    }
    return (uint8_t)(part.word >> (16u - 8u * ((place - 1u) % 3u)));
}

static void deselect(void)
{
    (void)line();
}

/* Until as many wait as EFIT asks for. */
static uint32_t quiet(void)
{
    const uint32_t waiting = part.head - part.tail, wanted = (part.registers[MNGR_INT] >> 19) + 1u;
    return waiting + 1u < wanted ? wanted - 1u - waiting : 0u;
}

const ein_part_t ein_part_max30003 = {
    reset, pin, period_ps, convert, select, exchange, deselect, quiet,
};
