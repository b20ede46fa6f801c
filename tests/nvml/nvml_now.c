/* What a device does now: one function of NVML's each, the file's numbers in its struct. */

#include "abi.h"

#include <stdio.h>

static const u64 SECOND_NS = 1000000000u;

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
    nvmlReturn_t result = unsigned_of(device, "nvmlDeviceGetPowerUsage", milliwatts);
    wave_t wave = wave_of(number_of(device));
    if (result == SUCCESS && wave.period)
        *milliwatts = (unsigned)wave_mean_milliwatts(&wave, monotonic_ns(), SECOND_NS);
    return result;
}

nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned *milliwatts)
{
    return unsigned_of(device, "nvmlDeviceGetEnforcedPowerLimit", milliwatts);
}

nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, u64 *millijoules)
{
    nvmlReturn_t result = long_of(device, "nvmlDeviceGetTotalEnergyConsumption", millijoules);
    wave_t wave = wave_of(number_of(device));
    if (result == SUCCESS && wave.period) *millijoules = wave_millijoules(&wave, monotonic_ns());
    return result;
}

nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, int sensor, unsigned *celsius)
{
    char call[64];
    snprintf(call, sizeof call, "nvmlDeviceGetTemperature/%d", sensor);
    return unsigned_of(device, call, celsius);
}

nvmlReturn_t nvmlDeviceGetFanSpeed(nvmlDevice_t device, unsigned *percent)
{
    return unsigned_of(device, "nvmlDeviceGetFanSpeed", percent);
}

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, int domain, unsigned *megahertz)
{
    char call[64];
    snprintf(call, sizeof call, "nvmlDeviceGetClockInfo/%d", domain);
    return unsigned_of(device, call, megahertz);
}

nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, u64 *mask)
{
    return long_of(device, "nvmlDeviceGetCurrentClocksThrottleReasons", mask);
}

nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, int type, int counter, u64 *count)
{
    char call[64];
    snprintf(call, sizeof call, "nvmlDeviceGetTotalEccErrors/%d/%d", type, counter);
    return long_of(device, call, count);
}

nvmlReturn_t nvmlDeviceGetCurrPcieLinkGeneration(nvmlDevice_t device, unsigned *generation)
{
    return unsigned_of(device, "nvmlDeviceGetCurrPcieLinkGeneration", generation);
}

nvmlReturn_t nvmlDeviceGetCurrPcieLinkWidth(nvmlDevice_t device, unsigned *width)
{
    return unsigned_of(device, "nvmlDeviceGetCurrPcieLinkWidth", width);
}

/* What a wave says of this field: instant and mean power, energy. 0 where it says nothing. */
static int of_wave(unsigned field, const wave_t *wave, u64 *value)
{
    if (!wave->period) return 0;
    if (field == 186) *value = wave_milliwatts(wave, monotonic_ns());
    else if (field == 185) *value = wave_mean_milliwatts(wave, monotonic_ns(), SECOND_NS);
    else if (field == 83) *value = wave_millijoules(wave, monotonic_ns());
    else return 0;
    return 1;
}

/* Succeeds as a whole, as NVML's does: what is missing is said in each field. */
nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, field_t *fields)
{
    answer_t whole;
    nvmlReturn_t result = number(device, "nvmlDeviceGetFieldValues", &whole);
    if (result != SUCCESS && (result != NOT_SUPPORTED || whole.error)) return result;
    wave_t wave = wave_of(number_of(device));
    for (int i = 0; i < count; i++) {
        char call[64];
        answer_t answer;
        snprintf(call, sizeof call, "nvmlDeviceGetFieldValues/%u", fields[i].field);
        fields[i].result = number(device, call, &answer);
        fields[i].value.ull = 0;
        if (fields[i].result != SUCCESS) continue;
        u64 value = answer.values[0];
        of_wave(fields[i].field, &wave, &value);
        fields[i].value_type = answer.count > 1 ? (int)answer.values[1] : 3;
        if (fields[i].value_type == 0) fields[i].value.d = (double)value;
        else fields[i].value.ull = value;
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

nvmlReturn_t nvmlDeviceGetMarginTemperature(nvmlDevice_t device, margin_v1_t *out)
{
    if (out->version != VERSION(margin_v1_t, 1)) return VERSION_MISMATCH;
    return unsigned_of(device, "nvmlDeviceGetMarginTemperature", (unsigned *)&out->celsius);
}

nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t device, u64 *mask)
{
    return long_of(device, "nvmlDeviceGetCurrentClocksEventReasons", mask);
}

#endif
