/* The convolution's inner loop for RV32 with M: four channels by four positions.
 *
 * A core without a multiply-add needs two instructions per product, and what can be saved is loads:
 * sixteen products take eight. That needs all 28 registers that there are (sixteen sums, six
 * pointers, six for what is loaded), which no compiler arranges by itself: hence the assembly.
 */
#include "ein_nn_conv_rv32.h"

#if EIN_NN_RV32

/* Offsets into ein_nn_quad_t, which the assembly counts on. */
typedef char offsets_are_right_t[offsetof(ein_nn_quad_t, end) == 8 &&
                                         offsetof(ein_nn_quad_t, bias) == 28 &&
                                         offsetof(ein_nn_quad_t, rest) == 44 &&
                                         offsetof(ein_nn_quad_t, saved) == 92 &&
                                         sizeof(ein_nn_quad_rest_t) == 12
                                     ? 1
                                     : -1];

/* clang-format off */

/* Four products with the input value at `from`, and their sums. */
#define MAC4(from, s0, s1, s2, s3)                                                                 \
    "lh t6, " from "\n"                                                                            \
    "mul ra, t2, t6\n" "add " s0 ", " s0 ", ra\n"                                                  \
    "mul ra, t3, t6\n" "add " s1 ", " s1 ", ra\n"                                                  \
    "mul ra, t4, t6\n" "add " s2 ", " s2 ", ra\n"                                                  \
    "mul ra, t5, t6\n" "add " s3 ", " s3 ", ra\n"

/* Sixteen: input value `x` bytes on, of four positions, times weights `w` bytes on. */
#define MAC16(x, first, second)                                                                    \
    "lb t2, " first "(t0)\n" "lb t3, " second "(t0)\n"                                             \
    "lb t4, " first "(t1)\n" "lb t5, " second "(t1)\n"                                             \
    MAC4(x "(a0)", "s0", "s1", "s2", "s3") MAC4(x "(a1)", "s4", "s5", "s6", "s7")                  \
    MAC4(x "(a2)", "s8", "s9", "s10", "s11") MAC4(x "(a3)", "a4", "a5", "a6", "a7")

/* ein_nn_finish: t1 multiplier, t2 rounding, t3 right, t0 out, t4 the way to the next position. */
#define FINISH(sum)                                                                                \
    "mulhsu t5, " sum ", t1\n"                                                                     \
    "mul t6, " sum ", t1\n"                                                                        \
    "srli t6, t6, 31\n"                                                                            \
    "add t5, t5, t6\n"                                                                             \
    "srai t6, t5, 31\n"                                                                            \
    "add t5, t5, t6\n"                                                                             \
    "add t5, t5, t2\n"                                                                             \
    "sra t5, t5, t3\n"                                                                             \
    "bltu t5, ra, 3f\n"                                                                            \
    "srai t5, t5, 31\n"                                                                            \
    "not t5, t5\n"                                                                                 \
    "3:\n"                                                                                         \
    "addi t5, t5, -128\n"                                                                          \
    "sb t5, 0(t0)\n"                                                                               \
    "add t0, t0, t4\n"

/* One channel of four positions. */
#define FINISH4(rest, s0, s1, s2, s3)                                                              \
    "lw t1, " rest "(t6)\n"                                                                        \
    "lw t2, " rest "+4(t6)\n"                                                                      \
    "lw t3, " rest "+8(t6)\n"                                                                      \
    FINISH(s0) FINISH(s1) FINISH(s2) FINISH(s3)

/* The next channel of the same four positions; t6 the block again. */
#define REWIND                                                                                     \
    "slli t6, t4, 2\n"                                                                             \
    "sub t0, t0, t6\n"                                                                             \
    "addi t0, t0, 1\n"                                                                             \
    "lw t6, 0(sp)\n"

#define EACH_SAVED(op)                                                                             \
    op " ra, 92(t6)\n" op " s0, 96(t6)\n" op " s1, 100(t6)\n" op " s2, 104(t6)\n"                  \
    op " s3, 108(t6)\n" op " s4, 112(t6)\n" op " s5, 116(t6)\n" op " s6, 120(t6)\n"                \
    op " s7, 124(t6)\n" op " s8, 128(t6)\n" op " s9, 132(t6)\n" op " s10, 136(t6)\n"               \
    op " s11, 140(t6)\n"

/* a0..a3: inputs of four positions; t0, t1: weights of two pairs of channels. Stack: 16 bytes. */
__attribute__((naked)) void ein_nn_conv_quad(ein_nn_quad_t *quad, const int16_t *inputs, int32_t step)
{
    (void)quad, (void)inputs, (void)step;
    __asm__("addi sp, sp, -16\n"
            "mv t6, a0\n"
            "sw t6, 0(sp)\n"
            EACH_SAVED("sw")
            "lw t5, 8(t6)\n"
            "sw t5, 4(sp)\n" /* end */
            "mv a0, a1\n"
            "slli a2, a2, 1\n"
            "add a1, a0, a2\n"
            "add t5, a2, a2\n"
            "add a2, a0, t5\n"
            "add a3, a1, t5\n"
            "1:\n" /* four positions */
            "lw t0, 0(t6)\n"
            "lw t1, 4(t6)\n"
            "lw s0, 28(t6)\n"
            "lw s1, 32(t6)\n"
            "lw s2, 36(t6)\n"
            "lw s3, 40(t6)\n"
            "mv s4, s0\n" "mv s8, s0\n" "mv a4, s0\n"
            "mv s5, s1\n" "mv s9, s1\n" "mv a5, s1\n"
            "mv s6, s2\n" "mv s10, s2\n" "mv a6, s2\n"
            "mv s7, s3\n" "mv s11, s3\n" "mv a7, s3\n"
            "2:\n" /* eight input values */
            MAC16("0", "0", "4") MAC16("2", "2", "6") MAC16("4", "1", "5") MAC16("6", "3", "7")
            MAC16("8", "8", "12") MAC16("10", "10", "14") MAC16("12", "9", "13") MAC16("14", "11", "15")
            "lw t2, 4(sp)\n"
            "addi t0, t0, 16\n"
            "addi t1, t1, 16\n"
            "addi a0, a0, 16\n"
            "addi a1, a1, 16\n"
            "addi a2, a2, 16\n"
            "addi a3, a3, 16\n"
            "bne t0, t2, 2b\n"
            "lw t6, 0(sp)\n"
            "lw t5, 12(t6)\n" /* back */
            "add a0, a0, t5\n"
            "add a1, a1, t5\n"
            "add a2, a2, t5\n"
            "add a3, a3, t5\n"
            "lw t4, 16(t6)\n" /* channels */
            "lw t0, 20(t6)\n" /* out */
            "li ra, 256\n"
            FINISH4("44", "s0", "s4", "s8", "a4") REWIND
            FINISH4("56", "s1", "s5", "s9", "a5") REWIND
            FINISH4("68", "s2", "s6", "s10", "a6") REWIND
            FINISH4("80", "s3", "s7", "s11", "a7")
            "addi t0, t0, -3\n"
            "lw t6, 0(sp)\n"
            "lw t5, 24(t6)\n" /* out's end */
            "sw t0, 20(t6)\n"
            "bne t0, t5, 1b\n"
            EACH_SAVED("lw")
            "addi sp, sp, 16\n"
            "ret\n");
}

/* clang-format on */

#endif
