#include "ein_nn_move.h"

#define LAST (EIN_NN_MOVE_LOOPS - 1)

/* The next turn of the loops but the last, whose change is added to `at`; 0 when all are through.
 */
static int advance(const ein_nn_move_t *move, int32_t *index, int32_t *at)
{
    for (int loop = LAST - 1; loop >= 0; loop--) {
        *at += move->steps[loop];
        if (++index[loop] < move->counts[loop])
            return 1;
        *at -= move->counts[loop] * move->steps[loop];
        index[loop] = 0;
    }
    return 0;
}

void ein_nn_move(const ein_nn_move_t *move, const int8_t *in, int8_t *out)
{
    const int32_t count = move->counts[LAST], step = move->steps[LAST];
    int32_t index[LAST] = {0};
    int32_t at = move->offset;

    do {
        for (int32_t i = 0; i < count; i++)
            *out++ = in[at + i * step];
    } while (advance(move, index, &at));
}
