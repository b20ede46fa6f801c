/* NVML's own ABI for tests: a libnvidia-ml.so.1 that says what a control file tells it to say.
 *
 * Built by tests/nvml/fixtures.py; stands in for the GPU only, so that the real pynvml runs.
 * The file named by TIDEGAUGE_NVML_CONTROL is read again at every call, so a test changes the
 * machine by replacing it (by rename, never in place). Without the variable there is no driver.
 * It keeps no values between calls, only how often NVML was opened. One line is
 *
 *     GPU CALL VERB ARGUMENT...       GPU: an index, `-` for the driver, `*` for any GPU
 *                                     CALL: the C function, `*` for any; ClockInfo, Temperature
 *                                     and FieldValues with `/` and the domain, sensor or field
 *     0 nvmlDeviceGetPowerUsage value 312500      the numbers that the call gives back, in its
 *                                                 struct's order and unit; lines below win
 *     0 nvmlDeviceGetName text NVIDIA H100        the rest of the line
 *     1 * error 15                                an nvmlReturn_t; wins over values
 *     0 nvmlDeviceGetPowerUsage hang 30           seconds, or until the line is gone; then the
 *                                                 call goes on as the other lines say
 *     - * log                                     append `GPU CALL` to CONTROL.log for each call
 *
 * What has no line is not supported: the library makes no value up. -DOLD_DRIVER leaves out
 * the functions that older libraries don't have.
 */

#include "control.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

typedef struct nvmlDevice { char opaque; } *nvmlDevice_t;

typedef struct { unsigned gpu, memory; } utilization_t;
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory_v2_t;
typedef struct { unsigned version; int sensor, temperature; } temperature_v1_t;
typedef struct {
    char bus_id_legacy[16];
    unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
    char bus_id[32];
} pci_t;
typedef union {
    double d; unsigned ui; unsigned long ul; unsigned long long ull; long long sll; int si;
    unsigned short us;
} value_t;
typedef struct {
    unsigned field, scope;
    long long timestamp, latency_usec;
    int value_type;
    nvmlReturn_t result;
    value_t value;
} field_t;

_Static_assert(sizeof(memory_v2_t) == 40, "NVML's version word of nvmlMemory_v2 says 0x28");
_Static_assert(sizeof(temperature_v1_t) == 12, "nvmlTemperature_v1 says 0x0C");
_Static_assert(sizeof(pci_t) == 68, "nvmlPciInfo_t");
_Static_assert(sizeof(field_t) == 40, "nvmlFieldValue_t");

#define VERSION(type, number) ((unsigned)sizeof(type) | (unsigned)(number) << 24)

enum { MAX_GPUS = 64 };

/* By this a test knows the stand-in from a real NVML. */
const int tidegauge_nvml_stand_in = 1;

static struct nvmlDevice devices[MAX_GPUS];
static atomic_int opened;

static nvmlReturn_t result_of(const answer_t *answer)
{
    if (answer->error) return answer->error;
    return answer->found ? SUCCESS : NOT_SUPPORTED;
}

static nvmlReturn_t number(nvmlDevice_t device, const char *call, answer_t *answer)
{
    if (!opened) return UNINITIALIZED;
    if (device < devices || device >= devices + MAX_GPUS) return INVALID_ARGUMENT;
    *answer = ask((int)(device - devices), call);
    return result_of(answer);
}

static nvmlReturn_t unsigned_of(nvmlDevice_t device, const char *call, unsigned *out)
{
    answer_t answer;
    nvmlReturn_t result = number(device, call, &answer);
    if (result == SUCCESS) *out = (unsigned)answer.values[0];
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

static nvmlReturn_t text_of(nvmlDevice_t device, const char *call, char *out, unsigned length)
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
    atomic_fetch_add(&opened, 1);
    return SUCCESS;
}

nvmlReturn_t nvmlShutdown(void)
{
    answer_t answer = ask(DRIVER, "nvmlShutdown");
    if (!opened) return UNINITIALIZED;
    if (answer.error) return answer.error;
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

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *count)
{
    if (!opened) return UNINITIALIZED;
    answer_t answer = ask(DRIVER, "nvmlDeviceGetCount_v2");
    nvmlReturn_t result = result_of(&answer);
    if (result == SUCCESS) *count = (unsigned)answer.values[0];
    return result;
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

/* What it does now */

nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, utilization_t *out)
{
    answer_t answer;
    nvmlReturn_t result = number(device, "nvmlDeviceGetUtilizationRates", &answer);
    if (result == SUCCESS)
        *out = (utilization_t){(unsigned)answer.values[0], (unsigned)answer.values[1]};
    return result;
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, memory_t *out)
{
    answer_t answer;
    nvmlReturn_t result = number(device, "nvmlDeviceGetMemoryInfo", &answer);
    if (result == SUCCESS)
        *out = (memory_t){answer.values[0], answer.values[1], answer.values[2]};
    return result;
}

nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned *milliwatts)
{
    return unsigned_of(device, "nvmlDeviceGetPowerUsage", milliwatts);
}

nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned *milliwatts)
{
    return unsigned_of(device, "nvmlDeviceGetEnforcedPowerLimit", milliwatts);
}

nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, unsigned long long *out)
{
    answer_t answer;
    nvmlReturn_t result = number(device, "nvmlDeviceGetTotalEnergyConsumption", &answer);
    if (result == SUCCESS) *out = answer.values[0];
    return result;
}

nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, int sensor, unsigned *celsius)
{
    char call[64];
    snprintf(call, sizeof call, "nvmlDeviceGetTemperature/%d", sensor);
    return unsigned_of(device, call, celsius);
}

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, int domain, unsigned *megahertz)
{
    char call[64];
    snprintf(call, sizeof call, "nvmlDeviceGetClockInfo/%d", domain);
    return unsigned_of(device, call, megahertz);
}

nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, unsigned long long *out)
{
    answer_t answer;
    nvmlReturn_t result = number(device, "nvmlDeviceGetCurrentClocksThrottleReasons", &answer);
    if (result == SUCCESS) *out = answer.values[0];
    return result;
}

/* Succeeds as a whole, as NVML's does: what is missing is said in each field. A field's second
 * value, if there is one, is its nvmlValueType_t (unsigned long long otherwise). */
nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, field_t *fields)
{
    answer_t whole;
    nvmlReturn_t result = number(device, "nvmlDeviceGetFieldValues", &whole);
    if (result != SUCCESS && result != NOT_SUPPORTED) return result;
    for (int i = 0; i < count; i++) {
        char call[64];
        answer_t answer;
        snprintf(call, sizeof call, "nvmlDeviceGetFieldValues/%u", fields[i].field);
        fields[i].result = number(device, call, &answer);
        fields[i].value.ull = 0;
        if (fields[i].result != SUCCESS) continue;
        fields[i].value_type = answer.count > 1 ? (int)answer.values[1] : 3;
        if (fields[i].value_type == 0) fields[i].value.d = (double)answer.values[0];
        else fields[i].value.ull = answer.values[0];
    }
    return SUCCESS;
}

#ifndef OLD_DRIVER

nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, memory_v2_t *out)
{
    answer_t answer;
    if (out->version != VERSION(memory_v2_t, 2)) return VERSION_MISMATCH;
    nvmlReturn_t result = number(device, "nvmlDeviceGetMemoryInfo_v2", &answer);
    if (result != SUCCESS) return result;
    out->total = answer.values[0];
    out->reserved = answer.values[1];
    out->free = answer.values[2];
    out->used = answer.values[3];
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetTemperatureV(nvmlDevice_t device, temperature_v1_t *out)
{
    char call[64];
    unsigned celsius;
    if (out->version != VERSION(temperature_v1_t, 1)) return VERSION_MISMATCH;
    snprintf(call, sizeof call, "nvmlDeviceGetTemperatureV/%d", out->sensor);
    nvmlReturn_t result = unsigned_of(device, call, &celsius);
    if (result == SUCCESS) out->temperature = (int)celsius;
    return result;
}

nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t device, unsigned long long *out)
{
    answer_t answer;
    nvmlReturn_t result = number(device, "nvmlDeviceGetCurrentClocksEventReasons", &answer);
    if (result == SUCCESS) *out = answer.values[0];
    return result;
}

#endif
