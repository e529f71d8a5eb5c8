/* What only the host asks of the vote: how large its state is. */
#include "ein_vote.h"

unsigned ein_vote_host_size(void);

unsigned ein_vote_host_size(void)
{
    return (unsigned)sizeof(ein_vote_t);
}
