/* ein_nn_lanes.h for RV32 with M: two channels by three pairs of positions, or by two.
 *
 * Twelve products take two loads of weights, three of inputs, six multiplications and as many
 * additions. The words of both channels, what is summed up of them and what is loaded fill all 28
 * registers that there are: hence the assembly.
 */
#include "ein_nn_lanes.h"

#if EIN_NN_RV32

/* Offsets into ein_nn_lanes_t, which the assembly counts on. */
typedef char offsets_are_right_t
    [offsetof(ein_nn_lanes_t, inputs) == 12 && offsetof(ein_nn_lanes_t, pairs) == 36 &&
             offsetof(ein_nn_lanes_t, start) == 40 && offsetof(ein_nn_lanes_t, rest) == 56 &&
             offsetof(ein_nn_lanes_t, next_marks) == 80 && offsetof(ein_nn_lanes_t, saved) == 84
         ? 1
         : -1];

/* In a naked function clang takes no statement that would use them. */
#define UNUSED __attribute__((unused))

/* clang-format off */

/* t4: weights; a0, t5, t6: inputs; a1: marks; ra: 2^15; t0-t3: what is loaded, and a product;
 * words: a2, a4, a6 of channel 0's pairs, a3, a5, a7 of channel 1's; all and high of them: s0-s5 and
 * s6-s11; on the stack: lanes. */
#define WEIGHTS(first, second) "lb t0, " first "(t4)\n" "lb t1, " second "(t4)\n"
#define PAIR(input, word0, word1, from0, from1)                                                    \
    "lw t2, " input "\n"                                                                           \
    "mul t3, t0, t2\n" "mul t2, t1, t2\n"                                                          \
    "add " word0 ", t3, " from0 "\n" "add " word1 ", t2, " from1 "\n"
#define FIRST2(x, first, second)                                                                   \
    WEIGHTS(first, second)                                                                         \
    PAIR(x "(a0)", "a2", "a3", "ra", "ra") PAIR(x "(t5)", "a4", "a5", "ra", "ra")
#define NEXT2(x, first, second)                                                                    \
    WEIGHTS(first, second)                                                                         \
    PAIR(x "(a0)", "a2", "a3", "a2", "a3") PAIR(x "(t5)", "a4", "a5", "a4", "a5")
#define FIRST3(x, first, second)                                                                   \
    FIRST2(x, first, second) PAIR(x "(t6)", "a6", "a7", "ra", "ra")
#define NEXT3(x, first, second)                                                                    \
    NEXT2(x, first, second) PAIR(x "(t6)", "a6", "a7", "a6", "a7")
#define PART1(word, all, high)                                                                     \
    "add " all ", " all ", " word "\n"                                                             \
    "srai " word ", " word ", 16\n"                                                                \
    "add " high ", " high ", " word "\n"
#define PART2                                                                                      \
    PART1("a2", "s0", "s6") PART1("a3", "s1", "s7") PART1("a4", "s2", "s8")                        \
    PART1("a5", "s3", "s9")
#define PART3 PART2 PART1("a6", "s4", "s10") PART1("a7", "s5", "s11")
#define ADVANCE2 "addi t4, t4, 8\n" "addi a0, a0, 16\n" "addi t5, t5, 16\n"
#define ADVANCE3 ADVANCE2 "addi t6, t6, 16\n"

/* All blocks. t2: lanes. */
#define BLOCKS(first, next, part, advance)                                                         \
    "lw t4, 0(t2)\n"                                                                               \
    "lw t0, 8(t2)\n"                                                                               \
    "2:\n" /* a word of marks; t0: its address, t2: lanes */                                       \
    "lw a1, 0(t0)\n"                                                                               \
    "addi t0, t0, 4\n"                                                                             \
    "sw t0, 80(t2)\n"                                                                              \
    "bltz a1, 4f\n"                                                                                \
    "3:\n"                                                                                         \
    "slli a1, a1, 1\n"                                                                             \
    first("0", "0", "4") next("4", "2", "6") next("8", "1", "5") next("12", "3", "7")              \
    part advance                                                                                   \
    "bgez a1, 3b\n"                                                                                \
    "4:\n"                                                                                         \
    "slli a1, a1, 1\n"                                                                             \
    "beqz a1, 5f\n"                                                                                \
    first("0", "0", "4") next("4", "2", "6") part                                                  \
    first("8", "1", "5") next("12", "3", "7") part advance                                         \
    "bgez a1, 3b\n"                                                                                \
    "j 4b\n"                                                                                       \
    "5:\n"                                                                                         \
    "lw t2, 0(sp)\n"                                                                               \
    "lw t1, 4(t2)\n"                                                                               \
    "lw t0, 80(t2)\n"                                                                              \
    "bne t4, t1, 2b\n"

/* ein_nn_finish; ra: 256. */
#define FINISH(sum, multiplier, rounding, right, to)                                               \
    "mulhsu t0, " sum ", " multiplier "\n"                                                         \
    "mul t1, " sum ", " multiplier "\n"                                                            \
    "srli t1, t1, 31\n"                                                                            \
    "add t0, t0, t1\n"                                                                             \
    "srai t1, t0, 31\n"                                                                            \
    "add t0, t0, t1\n"                                                                             \
    "add t0, t0, " rounding "\n"                                                                   \
    "sra t0, t0, " right "\n"                                                                      \
    "bltu t0, ra, 6f\n"                                                                            \
    "srai t0, t0, 31\n"                                                                            \
    "not t0, t0\n"                                                                                 \
    "6:\n"                                                                                         \
    "addi t0, t0, -128\n"                                                                          \
    "sb t0, " to "\n"

/* What FINISH_PAIR needs. t2: lanes; t3: lower, t4: upper position of the first pair; t5, t6: their
 * second channels. */
#define FINISH_BEGIN                                                                               \
    "lw a1, 24(t2)\n"                                                                              \
    "lw a2, 56(t2)\n" "lw a3, 60(t2)\n" "lw a4, 64(t2)\n"                                          \
    "lw a5, 68(t2)\n" "lw a6, 72(t2)\n" "lw a7, 76(t2)\n"                                          \
    "lw t3, 20(t2)\n"                                                                              \
    "lw t4, 28(t2)\n"                                                                              \
    "lw t6, 32(t2)\n"                                                                              \
    "add t4, t4, t3\n"                                                                             \
    "add t5, t3, t6\n"                                                                             \
    "add t6, t4, t6\n"                                                                             \
    "li ra, 256\n"

/* The second channel first: it may be none, and then is written over. Then the next pair. */
#define FINISH_PAIR(all0, all1, high0, high1)                                                      \
    "slli t0, " high0 ", 16\n" "sub " all0 ", " all0 ", t0\n"                                      \
    "slli t0, " high1 ", 16\n" "sub " all1 ", " all1 ", t0\n"                                      \
    FINISH(all1, "a5", "a6", "a7", "0(t5)") FINISH(high1, "a5", "a6", "a7", "0(t6)")               \
    FINISH(all0, "a2", "a3", "a4", "0(t3)") FINISH(high0, "a2", "a3", "a4", "0(t4)")               \
    "add t3, t3, a1\n" "add t4, t4, a1\n" "add t5, t5, a1\n" "add t6, t6, a1\n"

/* Stack: 16 bytes. */
__attribute__((naked, noinline)) void ein_nn_lanes(UNUSED ein_nn_lanes_t *lanes)
{
    __asm__("addi sp, sp, -16\n"
            "sw a0, 0(sp)\n"
            "sw ra, 84(a0)\n"
            "sw s0, 88(a0)\n" "sw s1, 92(a0)\n" "sw s2, 96(a0)\n" "sw s3, 100(a0)\n"
            "sw s4, 104(a0)\n" "sw s5, 108(a0)\n" "sw s6, 112(a0)\n" "sw s7, 116(a0)\n"
            "sw s8, 120(a0)\n" "sw s9, 124(a0)\n" "sw s10, 128(a0)\n" "sw s11, 132(a0)\n"
            "mv t2, a0\n"
            "1:\n" /* pairs of positions; t2: lanes */
            "lw s0, 40(t2)\n" "lw s6, 44(t2)\n" "lw s1, 48(t2)\n" "lw s7, 52(t2)\n"
            "mv s2, s0\n" "mv s3, s1\n" "mv s8, s6\n" "mv s9, s7\n"
            "lw t1, 16(t2)\n"
            "lw a0, 12(t2)\n"
            "lui ra, 8\n"
            "add t5, a0, t1\n"
            "add t6, t5, t1\n"
            "lw t3, 36(t2)\n"
            "andi t4, t3, -3\n" /* 4 and 2 left: by twos */
            "beqz t4, 7f\n"
            "addi t4, t3, -4\n"
            "beqz t4, 7f\n"
            "addi t3, t3, -3\n"
            "sw t3, 36(t2)\n"
            "add t1, t1, t6\n"
            "sw t1, 12(t2)\n"
            "mv t3, a0\n" /* the first of three pairs is the one that two do not have */
            "mv a0, t5\n"
            "mv t5, t6\n"
            "mv t6, t3\n"
            "mv s4, s0\n" "mv s5, s1\n" "mv s10, s6\n" "mv s11, s7\n"
            BLOCKS(FIRST3, NEXT3, PART3, ADVANCE3)
            FINISH_BEGIN
            FINISH_PAIR("s4", "s5", "s10", "s11")
            "j 8f\n"
            "7:\n"
            "addi t3, t3, -2\n"
            "sw t3, 36(t2)\n"
            "sw t6, 12(t2)\n"
            BLOCKS(FIRST2, NEXT2, PART2, ADVANCE2)
            FINISH_BEGIN
            "8:\n"
            FINISH_PAIR("s0", "s1", "s6", "s7") FINISH_PAIR("s2", "s3", "s8", "s9")
            "sw t3, 20(t2)\n"
            "lw t0, 36(t2)\n"
            "bnez t0, 1b\n"
            "mv a0, t2\n"
            "lw ra, 84(a0)\n"
            "lw s0, 88(a0)\n" "lw s1, 92(a0)\n" "lw s2, 96(a0)\n" "lw s3, 100(a0)\n"
            "lw s4, 104(a0)\n" "lw s5, 108(a0)\n" "lw s6, 112(a0)\n" "lw s7, 116(a0)\n"
            "lw s8, 120(a0)\n" "lw s9, 124(a0)\n" "lw s10, 128(a0)\n" "lw s11, 132(a0)\n"
            "addi sp, sp, 16\n"
            "ret\n");
}

/* clang-format on */

#endif
