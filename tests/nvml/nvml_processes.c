/* Processes on a device. nvmlDeviceGetComputeRunningProcesses_v3 has a line `/SLOT` for each of
 * up to 64 processes (slots without a gap): PID BYTES [GPU_INSTANCE [COMPUTE_INSTANCE]].
 * nvmlDeviceGetProcessUtilization likewise: PID TIMESTAMP_US SM [MEMORY [ENCODER [DECODER]]]. */

#include "abi.h"

#include <stdio.h>

enum { MAX_PROCESSES = 64 };

static int listed(nvmlDevice_t device, const char *call, answer_t *answers)
{
    int count = 0;
    for (; count < MAX_PROCESSES; count++) {
        char slot[96];
        snprintf(slot, sizeof slot, "%s/%d", call, count);
        answers[count] = look_up(number_of(device), slot);
        if (!answers[count].found) break;
    }
    return count;
}

/* Supported where the file has a line for the call, or a process. */
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, unsigned *count,
                                                     process_t *out)
{
    answer_t answers[MAX_PROCESSES], whole;
    const char *call = "nvmlDeviceGetComputeRunningProcesses_v3";
    nvmlReturn_t result = number(device, call, &whole);
    if (result != SUCCESS) return result;
    unsigned found = (unsigned)listed(device, call, answers), room = *count;
    *count = found;
    if (found > room) return INSUFFICIENT_SIZE;
    for (unsigned i = 0; i < found; i++) {
        const answer_t *answer = &answers[i];
        out[i] = (process_t){(unsigned)answer->values[0], answer->values[1],
                             answer->count > 2 ? (unsigned)answer->values[2] : 0xFFFFFFFF,
                             answer->count > 3 ? (unsigned)answer->values[3] : 0xFFFFFFFF};
    }
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetProcessUtilization(nvmlDevice_t device, usage_t *out, unsigned *count,
                                             u64 after_us)
{
    answer_t answers[MAX_PROCESSES], whole;
    const char *call = "nvmlDeviceGetProcessUtilization";
    nvmlReturn_t result = number(device, call, &whole);
    if (result != SUCCESS) return result;
    unsigned found = (unsigned)listed(device, call, answers), room = *count, filled = 0;
    if (!out) {
        *count = found;
        return found ? INSUFFICIENT_SIZE : NOT_FOUND;
    }
    for (unsigned i = 0; i < found && filled < room; i++) {
        const u64 *v = answers[i].values;
        if (v[1] <= after_us) continue;
        out[filled++] = (usage_t){(unsigned)v[0], v[1], (unsigned)v[2], (unsigned)v[3],
                                  (unsigned)v[4], (unsigned)v[5]};
    }
    *count = filled;
    return filled ? SUCCESS : NOT_FOUND;
}
