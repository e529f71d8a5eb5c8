/* ein_nn_lanes.h for Thumb without DSP instructions: two channels by one pair of positions.
 *
 * A block's weights lie as channel 0's for the inputs 0, 2, 1, 3, then channel 1's. There are
 * registers for one pair only; on the Cortex-M0 eight of them do more than add.
 */
#include "ein_nn_lanes.h"

#if EIN_NN_LANES && !EIN_NN_RV32

/* Offsets into ein_nn_lanes_t, which the assembly counts on. */
typedef char offsets_are_right_t[offsetof(ein_nn_lanes_t, inputs) == 12 &&
                                         offsetof(ein_nn_lanes_t, pairs) == 36 &&
                                         offsetof(ein_nn_lanes_t, start) == 40 &&
                                         offsetof(ein_nn_lanes_t, rest) == 56 &&
                                         offsetof(ein_nn_lanes_t, next_marks) == 80
                                     ? 1
                                     : -1];

/* In a naked function clang takes no statement that would use them. */
#define UNUSED __attribute__((unused))

/* clang-format off */

#if __ARM_ARCH_ISA_THUMB >= 2

/* r0: weights, r1: inputs, r2-r5: inputs of a block, r6: weight, r7: word, r8, r9: all and high of
 * channel 0, r10, r11: of channel 1, r12: 2^15, lr: marks; on the stack: lanes. */
#define FIRST(input) "ldrsb r6, [r0], #1\n" "mla r7, " input ", r6, r12\n"
#define NEXT(input) "ldrsb r6, [r0], #1\n" "mla r7, " input ", r6, r7\n"
#define PART(all, high) "add " all ", " all ", r7\n" "add " high ", " high ", r7, asr #16\n"

/* Of four inputs one word... */
#define WHOLE(all, high) FIRST("r2") NEXT("r4") NEXT("r3") NEXT("r5") PART(all, high)
/* ... and two. */
#define HALVES(all, high)                                                                          \
    FIRST("r2") NEXT("r4") PART(all, high) FIRST("r3") NEXT("r5") PART(all, high)

/* ein_nn_finish: r6 multiplier, r7 rounding, lr right. */
#define FINISH(sum)                                                                                \
    "lsl " sum ", " sum ", #1\n"                                                                   \
    "smull r4, " sum ", " sum ", r6\n"                                                             \
    "add " sum ", " sum ", r4, lsr #31\n"                                                          \
    "add " sum ", " sum ", " sum ", asr #31\n"                                                     \
    "add " sum ", " sum ", r7\n"                                                                   \
    "asr " sum ", " sum ", lr\n"                                                                   \
    "ssat " sum ", #8, " sum "\n"

/* Stack: 40 bytes. */
__attribute__((naked, noinline)) void ein_nn_lanes(UNUSED ein_nn_lanes_t *lanes)
{
    __asm__("push {r0, r4-r11, lr}\n"
            "1:\n" /* a pair of positions; r0: lanes */
            "add r12, r0, #40\n"
            "ldm r12, {r8-r11}\n"
            "mov r12, #0x8000\n"
            "ldr r1, [r0, #12]\n"
            "ldr r2, [r0, #8]\n"
            "mov r3, r0\n"
            "ldr r0, [r0]\n"
            "2:\n" /* a word of marks; r2: its address, r3: lanes */
            "ldr lr, [r2], #4\n"
            "str r2, [r3, #80]\n"
            "lsls lr, lr, #1\n"
            "bcs 4f\n"
            "3:\n"
            "ldmia r1!, {r2-r5}\n"
            WHOLE("r8", "r9") WHOLE("r10", "r11")
            "lsls lr, lr, #1\n"
            "bcc 3b\n"
            "4:\n"
            "beq 5f\n"
            "ldmia r1!, {r2-r5}\n"
            HALVES("r8", "r9") HALVES("r10", "r11")
            "lsls lr, lr, #1\n"
            "bcc 3b\n"
            "b 4b\n"
            "5:\n"
            "ldr r3, [sp]\n"
            "ldr r4, [r3, #4]\n"
            "ldr r2, [r3, #80]\n"
            "cmp r0, r4\n"
            "bne 2b\n"
            "sub r8, r8, r9, lsl #16\n"
            "sub r10, r10, r11, lsl #16\n"
            "add r12, r3, #68\n"
            "ldm r12, {r6, r7, lr}\n"
            FINISH("r10") FINISH("r11")
            "sub r12, r12, #12\n"
            "ldm r12, {r6, r7, lr}\n"
            FINISH("r8") FINISH("r9")
            "add r3, r3, #12\n"
            "ldm r3, {r1, r2, r4-r7}\n" /* inputs, step, out, channels, upper, second */
            "add r1, r1, r2\n"
            "add r12, r4, r7\n"
            "strb r10, [r12]\n" /* the second channel first: it may be none, and then is written over */
            "strb r11, [r12, r6]\n"
            "strb r8, [r4]\n"
            "strb r9, [r4, r6]\n"
            "add r4, r4, r5\n"
            "ldr r0, [sp]\n"
            "str r1, [r0, #12]\n"
            "str r4, [r0, #20]\n"
            "ldr r1, [r0, #36]\n"
            "subs r1, r1, #1\n"
            "str r1, [r0, #36]\n"
            "bne 1b\n"
            "pop {r0, r4-r11, pc}\n");
}

#else

/* r0: inputs, r1: weights, r2, r3: a block's weights, r4, r5: words of both channels, r6: input,
 * r7: weight; r8, r9: all and high of channel 0, r10, r11: of channel 1, r12: 2^15, lr: marks; on
 * the stack: lanes. */
#define WEIGHT0(word, to) "sxtb " to ", " word "\n"
#define WEIGHT1(word, to) "lsls " to ", " word ", #8\n" "asrs " to ", " to ", #24\n"
#define WEIGHT2(word, to) "lsls " to ", " word ", #16\n" "asrs " to ", " to ", #24\n"
#define WEIGHT3(word, to) "asrs " to ", " word ", #24\n"
#define INPUT "ldmia r0!, {r6}\n"
/* A product that begins a word, and one that is added. */
#define FIRST(word, sum, weight) weight(word, sum) "muls " sum ", r6\n"
#define NEXT(word, sum, weight) weight(word, "r7") "muls r7, r6\n" "adds " sum ", r7\n"
#define FIRST2(weight) INPUT FIRST("r2", "r4", weight) FIRST("r3", "r5", weight)
#define NEXT2(weight) INPUT NEXT("r2", "r4", weight) NEXT("r3", "r5", weight)
#define PART(sum, all, high)                                                                       \
    "add " sum ", r12\n"                                                                           \
    "add " all ", " sum "\n"                                                                       \
    "asrs " sum ", " sum ", #16\n"                                                                 \
    "add " high ", " sum "\n"
#define PART2 PART("r4", "r8", "r9") PART("r5", "r10", "r11")
#define MARK "mov r7, lr\n" "lsls r7, r7, #1\n" "mov lr, r7\n"

/* Stack: 40 bytes. */
__attribute__((naked, noinline)) void ein_nn_lanes(UNUSED ein_nn_lanes_t *lanes)
{
    __asm__(".syntax unified\n" /* GCC assumes the older one for these cores */
            "push {r0, r4-r7, lr}\n"
            "mov r4, r8\n"
            "mov r5, r9\n"
            "mov r6, r10\n"
            "mov r7, r11\n"
            "push {r4-r7}\n"
            "mov r3, r0\n"
            "1:\n" /* a pair of positions; r3: lanes */
            "movs r0, #40\n"
            "add r0, r3\n"
            "ldmia r0!, {r4-r7}\n"
            "mov r8, r4\n"
            "mov r9, r5\n"
            "mov r10, r6\n"
            "mov r11, r7\n"
            "movs r4, #1\n"
            "lsls r4, r4, #15\n"
            "mov r12, r4\n"
            "ldr r0, [r3, #12]\n"
            "ldr r1, [r3]\n"
            "ldr r2, [r3, #8]\n"
            "2:\n" /* a word of marks; r2: its address, r3: lanes */
            "ldmia r2!, {r7}\n"
            "str r2, [r3, #80]\n"
            "lsls r7, r7, #1\n"
            "mov lr, r7\n"
            "bcs 4f\n"
            "3:\n"
            "ldmia r1!, {r2, r3}\n"
            FIRST2(WEIGHT0) NEXT2(WEIGHT1) NEXT2(WEIGHT2) NEXT2(WEIGHT3) PART2
            MARK
            "bcc 3b\n"
            "4:\n"
            "beq 5f\n"
            "ldmia r1!, {r2, r3}\n"
            FIRST2(WEIGHT0) NEXT2(WEIGHT1) PART2 FIRST2(WEIGHT2) NEXT2(WEIGHT3) PART2
            MARK
            "bcs 4b\n"
            "b 3b\n"
            "5:\n"
            "ldr r3, [sp, #16]\n"
            "ldr r2, [r3, #80]\n"
            "ldr r4, [r3, #4]\n"
            "cmp r1, r4\n"
            "bne 2b\n"
            "movs r2, #68\n" /* the second channel first: it may be none, and then is written over */
            "add r2, r3\n"
            "ldr r1, [r3, #20]\n"
            "ldr r0, [r3, #32]\n"
            "add r1, r0\n"
            "mov r4, r11\n"
            "lsls r5, r4, #16\n"
            "mov r0, r10\n"
            "subs r0, r0, r5\n"
            "mov r10, r0\n"
            "ldr r0, [r3, #28]\n"
            "bl 6f\n"
            "mov r4, r10\n"
            "movs r0, #0\n"
            "bl 6f\n"
            "subs r2, #12\n"
            "ldr r1, [r3, #20]\n"
            "mov r4, r9\n"
            "lsls r5, r4, #16\n"
            "mov r0, r8\n"
            "subs r0, r0, r5\n"
            "mov r8, r0\n"
            "ldr r0, [r3, #28]\n"
            "bl 6f\n"
            "mov r4, r8\n"
            "movs r0, #0\n"
            "bl 6f\n"
            "ldr r0, [r3, #24]\n"
            "adds r1, r1, r0\n"
            "str r1, [r3, #20]\n"
            "ldr r0, [r3, #12]\n"
            "ldr r1, [r3, #16]\n"
            "adds r0, r0, r1\n"
            "str r0, [r3, #12]\n"
            "ldr r0, [r3, #36]\n"
            "subs r0, #1\n"
            "str r0, [r3, #36]\n"
            "beq 8f\n"
            "b 1b\n"
            "8:\n"
            "pop {r4-r7}\n"
            "mov r8, r4\n"
            "mov r9, r5\n"
            "mov r10, r6\n"
            "mov r11, r7\n"
            "pop {r0, r4-r7, pc}\n"
            "6:\n" /* ein_nn_finish of r4 to r1 + r0; r2: rest; r0, r4-r7 are lost */
            "mov r12, r0\n"
            "lsls r4, r4, #1\n"
            "uxth r5, r4\n"
            "asrs r4, r4, #16\n"
            "ldrh r6, [r2]\n"
            "ldrh r7, [r2, #2]\n"
            "mov r0, r5\n"
            "muls r0, r6\n"
            "lsrs r0, r0, #16\n"
            "muls r6, r4\n"
            "adds r0, r0, r6\n" /* middle */
            "muls r5, r7\n"
            "muls r4, r7\n"
            "uxth r6, r0\n"
            "adds r5, r5, r6\n" /* other, of which bit 15 rounds */
            "asrs r0, r0, #16\n"
            "adds r4, r4, r0\n"
            "asrs r5, r5, #16\n"
            "adcs r4, r5\n"
            "asrs r5, r4, #31\n"
            "adds r4, r4, r5\n"
            "ldr r5, [r2, #4]\n"
            "adds r4, r4, r5\n"
            "ldr r5, [r2, #8]\n"
            "asrs r4, r5\n"
            "cmp r4, #255\n"
            "bls 7f\n"
            "asrs r4, r4, #31\n"
            "mvns r4, r4\n"
            "7:\n"
            "subs r4, #128\n"
            "mov r0, r12\n"
            "strb r4, [r1, r0]\n"
            "bx lr\n");
}

#endif

/* clang-format on */

#endif
