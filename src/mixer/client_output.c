/* SPDX-License-Identifier: MIT */
/* Where a client's output lies: in place in its own buffers, or in its ring. Real time. */
#include "mixer/client_output.h"

const float *
client_output(const struct cycle_client *client, uint32_t channel, int64_t frame, uint32_t count)
{
    if (client->in_place) {
        for (unsigned h = 0; h < 2; h++) {
            const struct cycle_half *half = &client->half[h];
            if (half->state == HALF_DONE && half->out_frame <= frame &&
                frame + count <= half->out_frame + client->layout.buffer_frames) {
                return proto_output(&client->layout, client->segment, channel, h) +
                       (frame - half->out_frame);
            }
        }
        return NULL;
    }
    if (frame >= client->out_valid_to) {
        return NULL;
    }
    return client->out_ring + (size_t)channel * client->out_frames +
           ((uint32_t)frame & (client->out_frames - 1));
}
