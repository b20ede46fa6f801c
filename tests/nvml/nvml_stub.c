/* NVML's own ABI for tests: a libnvidia-ml.so.1 that says what a control file tells it to say.
 *
 * Built by tests/nvml/fixtures.py from the *.c beside this; stands in for the GPU only, so that
 * the real pynvml runs. A test changes the machine by replacing the file that
 * TIDEGAUGE_NVML_CONTROL names (by rename, never in place, with a modification time that no
 * earlier one had: control.py does). It is read again when stat says that it is another one.
 * Without the variable there is no driver. One line is
 *
 *     GPU CALL VERB ARGUMENT...       GPU: an index, `-` for the driver, `*` for any GPU, `0:1` for
 *                                     slot 1 of GPU 0's MIG devices
 *                                     CALL: the C function, `*` for any. With `/` and what is
 *                                     asked for: ClockInfo, Temperature, FieldValues, Samples and
 *                                     GpmMetricsGet; `/TYPE/COUNTER` for TotalEccErrors
 *     0 nvmlDeviceGetPowerUsage value 312500      the numbers that the call gives back, in its
 *                                                 struct's order and unit; lines below win
 *     0 nvmlDeviceGetName text NVIDIA H100        the rest of the line
 *     1 * error 15                                an nvmlReturn_t; wins over values
 *     0 nvmlDeviceGetPowerUsage hang 30           seconds, or until the line is gone; then the
 *                                                 call goes on as the other lines say
 *     - * log                                     append `GPU CALL` to CONTROL.log for each call
 *     0 power wave 120000 680000 7300 200         BASE_MW PEAK_MW PERIOD_MS WIDTH_MS: a square
 *                                                 wave, at its peak while CLOCK_MONOTONIC modulo
 *                                                 the period is below the width (wave.c)
 *     0 nvmlEventSetWait_v2 xid 79 3              Xid 79 happened; SEQ 3 tells it from others. A
 *                                                 set delivers what is above the SEQ it saw last;
 *                                                 what was there at registration is the past
 *     - * reload 1                                the driver was replaced: a process that opened
 *                                                 NVML while the number was another one gets
 *                                                 LIB_RM_VERSION_MISMATCH from every call for good
 *
 * A wave decides instant and mean power, energy and the sample ring; other lines do without it.
 * FieldValues: the second value, if there is one, is the nvmlValueType_t (3, unsigned long long,
 * otherwise). GpmMetricsGet: the second value divides the first. A MIG device is there while its
 * nvmlDeviceGetGpuInstanceId has a line. Processes: nvml_processes.c.
 *
 * What has no line is not supported: the library makes no value up. -DOLD_DRIVER leaves out
 * the functions that older libraries don't have.
 */

#include "abi.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { DEVICES = MIG(MAX_GPUS, 0) };

/* By this a test knows the stand-in from a real NVML. */
const int tidegauge_nvml_stand_in = 1;

static struct nvmlDevice devices[DEVICES];
static atomic_int opened;

int is_open(void) { return opened > 0; }

int number_of(nvmlDevice_t device)
{
    return device < devices || device >= devices + DEVICES ? DRIVER : (int)(device - devices);
}

nvmlDevice_t handle_of(int device) { return &devices[device]; }

nvmlReturn_t result_of(const answer_t *answer)
{
    if (answer->error) return answer->error;
    return answer->found ? SUCCESS : NOT_SUPPORTED;
}

nvmlReturn_t number(nvmlDevice_t device, const char *call, answer_t *answer)
{
    if (!opened) return UNINITIALIZED;
    if (number_of(device) == DRIVER) return INVALID_ARGUMENT;
    *answer = ask(number_of(device), call);
    return result_of(answer);
}

nvmlReturn_t unsigned_of(nvmlDevice_t device, const char *call, unsigned *out)
{
    answer_t answer;
    nvmlReturn_t result = number(device, call, &answer);
    if (result == SUCCESS) *out = (unsigned)answer.values[0];
    return result;
}

nvmlReturn_t long_of(nvmlDevice_t device, const char *call, u64 *out)
{
    answer_t answer;
    nvmlReturn_t result = number(device, call, &answer);
    if (result == SUCCESS) *out = answer.values[0];
    return result;
}

static nvmlReturn_t copy(const answer_t *answer, char *out, unsigned length)
{
    nvmlReturn_t result = result_of(answer);
    if (result != SUCCESS) return result;
    if (strlen(answer->text) + 1 > length) return INSUFFICIENT_SIZE;
    strcpy(out, answer->text);
    return SUCCESS;
}

nvmlReturn_t text_of(nvmlDevice_t device, const char *call, char *out, unsigned length)
{
    answer_t answer;
    nvmlReturn_t result = number(device, call, &answer);
    return result == SUCCESS ? copy(&answer, out, length) : result;
}

/* The driver */

nvmlReturn_t nvmlInitWithFlags(unsigned flags)
{
    answer_t answer = ask(DRIVER, "nvmlInitWithFlags");
    (void)flags;
    if (answer.error) return answer.error;
    meet_driver();
    atomic_fetch_add(&opened, 1);
    return SUCCESS;
}

nvmlReturn_t nvmlShutdown(void)
{
    answer_t answer = ask(DRIVER, "nvmlShutdown");
    if (!opened) return UNINITIALIZED;
    if (answer.error && answer.error != LIB_RM_VERSION_MISMATCH) return answer.error;
    atomic_fetch_sub(&opened, 1);
    return SUCCESS;
}

const char *nvmlErrorString(nvmlReturn_t result)
{
    static _Thread_local char text[48];
    snprintf(text, sizeof text, "NVML error %d", result);
    return text;
}

nvmlReturn_t nvmlSystemGetDriverVersion(char *out, unsigned length)
{
    if (!opened) return UNINITIALIZED;
    answer_t answer = ask(DRIVER, "nvmlSystemGetDriverVersion");
    return copy(&answer, out, length);
}

static nvmlReturn_t of_driver(const char *call, unsigned *out)
{
    if (!opened) return UNINITIALIZED;
    answer_t answer = ask(DRIVER, call);
    nvmlReturn_t result = result_of(&answer);
    if (result == SUCCESS) *out = (unsigned)answer.values[0];
    return result;
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *count)
{
    return of_driver("nvmlDeviceGetCount_v2", count);
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *version)
{
    return of_driver("nvmlSystemGetCudaDriverVersion_v2", (unsigned *)version);
}

nvmlReturn_t nvmlSystemGetConfComputeState(confidential_t *out)
{
    *out = (confidential_t){0};
    return of_driver("nvmlSystemGetConfComputeState", &out->feature);
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t *device)
{
    if (!opened) return UNINITIALIZED;
    answer_t count = look_up(DRIVER, "nvmlDeviceGetCount_v2");
    if (index >= MAX_GPUS || index >= count.values[0]) return INVALID_ARGUMENT;
    answer_t answer = ask((int)index, "nvmlDeviceGetHandleByIndex_v2");
    if (answer.error) return answer.error;
    *device = &devices[index];
    return SUCCESS;
}

/* What a device is */

nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t device, unsigned *index)
{
    if (number_of(device) == DRIVER) return INVALID_ARGUMENT;
    *index = (unsigned)number_of(device);
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *out, unsigned length)
{
    return text_of(device, "nvmlDeviceGetName", out, length);
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *out, unsigned length)
{
    return text_of(device, "nvmlDeviceGetUUID", out, length);
}

nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, pci_t *out)
{
    memset(out, 0, sizeof *out);
    return text_of(device, "nvmlDeviceGetPciInfo_v3", out->bus_id, sizeof out->bus_id);
}

nvmlReturn_t nvmlDeviceGetPersistenceMode(nvmlDevice_t device, unsigned *mode)
{
    return unsigned_of(device, "nvmlDeviceGetPersistenceMode", mode);
}

static nvmlReturn_t modes_of(nvmlDevice_t device, const char *call, unsigned *now, unsigned *next)
{
    answer_t answer;
    nvmlReturn_t result = number(device, call, &answer);
    if (result != SUCCESS) return result;
    *now = (unsigned)answer.values[0];
    *next = (unsigned)answer.values[answer.count > 1];
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetEccMode(nvmlDevice_t device, unsigned *now, unsigned *next)
{
    return modes_of(device, "nvmlDeviceGetEccMode", now, next);
}

nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned *now, unsigned *next)
{
    return modes_of(device, "nvmlDeviceGetMigMode", now, next);
}
