/* MIG devices: slots of a GPU that are there while the file says their instance ids. */

#include "abi.h"

nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned *count)
{
    return unsigned_of(device, "nvmlDeviceGetMaxMigDeviceCount", count);
}

nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned slot,
                                                 nvmlDevice_t *out)
{
    answer_t answer;
    int gpu = number_of(device);
    if (gpu == DRIVER || gpu >= MAX_GPUS || slot >= MIG_SLOTS) return INVALID_ARGUMENT;
    number(device, "nvmlDeviceGetMigDeviceHandleByIndex", &answer);
    if (answer.error) return answer.error;
    if (!look_up(MIG(gpu, (int)slot), "nvmlDeviceGetGpuInstanceId").found) return NOT_FOUND;
    *out = handle_of(MIG(gpu, (int)slot));
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetGpuInstanceId(nvmlDevice_t device, unsigned *id)
{
    return unsigned_of(device, "nvmlDeviceGetGpuInstanceId", id);
}

nvmlReturn_t nvmlDeviceGetComputeInstanceId(nvmlDevice_t device, unsigned *id)
{
    return unsigned_of(device, "nvmlDeviceGetComputeInstanceId", id);
}
