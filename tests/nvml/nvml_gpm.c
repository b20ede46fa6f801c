/* GPU performance monitoring: samples that remember whose they are, and metrics of two of them. */

#include "abi.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct gpm_sample { int device, instance; u64 taken_ns; };

static const u64 APART_NS = 100000000u;

/* Samples that were allocated and not freed: a test reads it to find a leak. */
atomic_int tidegauge_nvml_gpm_samples;

nvmlReturn_t nvmlGpmQueryDeviceSupport(nvmlDevice_t device, gpm_support_t *out)
{
    if (out->version != VERSION(gpm_support_t, 1) && out->version != 1) return VERSION_MISMATCH;
    return unsigned_of(device, "nvmlGpmQueryDeviceSupport", &out->supported);
}

nvmlReturn_t nvmlGpmSampleAlloc(gpm_sample_t *sample)
{
    answer_t answer = ask(DRIVER, "nvmlGpmSampleAlloc");
    if (answer.error) return answer.error;
    *sample = calloc(1, sizeof **sample);
    atomic_fetch_add(&tidegauge_nvml_gpm_samples, 1);
    return SUCCESS;
}

nvmlReturn_t nvmlGpmSampleFree(gpm_sample_t sample)
{
    free(sample);
    atomic_fetch_sub(&tidegauge_nvml_gpm_samples, 1);
    return SUCCESS;
}

static nvmlReturn_t take(nvmlDevice_t device, const char *call, int instance, gpm_sample_t sample)
{
    answer_t answer;
    nvmlReturn_t result = number(device, call, &answer);
    if (result != SUCCESS && (result != NOT_SUPPORTED || answer.error)) return result;
    *sample = (struct gpm_sample){number_of(device), instance, monotonic_ns()};
    return SUCCESS;
}

nvmlReturn_t nvmlGpmSampleGet(nvmlDevice_t device, gpm_sample_t sample)
{
    return take(device, "nvmlGpmSampleGet", -1, sample);
}

nvmlReturn_t nvmlGpmMigSampleGet(nvmlDevice_t device, unsigned instance, gpm_sample_t sample)
{
    return take(device, "nvmlGpmMigSampleGet", (int)instance, sample);
}

/* Samples of two devices, or too close together, have no metrics. A GPU instance's own numbers
 * are `GpmMetricsGet/ID/INSTANCE`. */
nvmlReturn_t nvmlGpmMetricsGet(gpm_metrics_t *out)
{
    gpm_sample_t first = out->first, second = out->second;
    if (out->version != 1) return VERSION_MISMATCH;
    if (!first->taken_ns || first->device != second->device || first->instance != second->instance ||
        second->taken_ns < first->taken_ns + APART_NS)
        return INVALID_ARGUMENT;
    answer_t whole = ask(first->device, "nvmlGpmMetricsGet");
    if (whole.error) return whole.error;
    for (unsigned i = 0; i < out->count; i++) {
        char call[64];
        gpm_metric_t *metric = &out->metrics[i];
        if (first->instance < 0) snprintf(call, sizeof call, "nvmlGpmMetricsGet/%u", metric->id);
        else snprintf(call, sizeof call, "nvmlGpmMetricsGet/%u/%d", metric->id, first->instance);
        answer_t answer = ask(first->device, call);
        metric->result = result_of(&answer);
        metric->value = (double)answer.values[0];
        if (answer.count > 1) metric->value /= (double)answer.values[1];
    }
    return SUCCESS;
}
